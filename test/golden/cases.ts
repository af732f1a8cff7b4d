import { readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { parseManifests } from '../../shared/cli/files.ts';
import { display } from '../../shared/findings.ts';
import { isRecord } from '../../shared/json.ts';
import { toDeclarative } from '../../shared/kong/declarative.ts';
import { translateAll } from '../../shared/translate/offline.ts';
import type { TranslateOptions } from '../../shared/translate/types.ts';

/** The options of a variant without settings. */
export const OPTIONS: TranslateOptions = {
  cluster: 'test',
  ingressClass: 'kong',
  gatewayController: 'konghq.com/kic-gateway-controller',
  routerFlavor: 'traditional',
  workspace: '',
  clusterDomain: '',
  drainSupport: false,
  featureGates: {},
  kongVersion: '3.9.1',
  kongEdition: 'enterprise',
  raw: false,
};

/** One golden file: `<folder>/in.yaml` under the settings of a variant. */
export interface GoldenCase {
  readonly name: string;
  /** Absolute path of the golden file, which may not exist yet. */
  readonly golden: string;
  readonly input: string;
  readonly options: TranslateOptions;
}

/** Throws when a settings file sets what is no option. */
function settingsOf(file: string): Partial<TranslateOptions> {
  const settings: unknown = parse(readFileSync(file, 'utf8'));
  if (!isRecord(settings)) throw new Error(`${file} holds no settings`);
  for (const key of Object.keys(settings)) {
    if (!Object.hasOwn(OPTIONS, key)) throw new Error(`${file}: ${key} is no option`);
  }
  return settings;
}

/** Every case below this folder, by name. */
export function goldenCases(root = import.meta.dirname): readonly GoldenCase[] {
  const folders = readdirSync(root)
    .filter((name) => statSync(path.join(root, name)).isDirectory())
    .toSorted();
  return folders.flatMap((folder) => {
    const dir = path.join(root, folder);
    const settings = readdirSync(dir).filter((file) => file.endsWith('.settings.yaml'));
    const variants = new Set(['default', ...settings.map((file) => file.slice(0, -'.settings.yaml'.length))]);
    return [...variants].toSorted().map((variant) => {
      const file = `${variant}.settings.yaml`;
      return {
        name: `${folder}/${variant}`,
        golden: path.join(dir, `${variant}.golden.yaml`),
        input: path.join(dir, 'in.yaml'),
        options: { ...OPTIONS, ...(settings.includes(file) ? settingsOf(path.join(dir, file)) : {}) },
      };
    });
  });
}

/** What a case gives now: entities in Kong's declarative format and the findings. */
export async function renderCase({ input, options }: GoldenCase): Promise<string> {
  const { objects, ignored, broken } = parseManifests(readFileSync(input, 'utf8'), 'in.yaml', options.raw);
  const { entities, findings } = await translateAll(objects, options);
  const document = {
    entities: toDeclarative(entities),
    findings: findings.map(({ object, severity, reason, message }) => ({
      severity,
      reason,
      object: display(object),
      message,
    })),
    ...(ignored.length === 0 ? {} : { ignored }),
    ...(broken.length === 0 ? {} : { broken }),
  };
  return stringify(document, { lineWidth: 0, aliasDuplicateObjects: false });
}
