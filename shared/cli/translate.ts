import { stringify } from 'yaml';
import { GATEWAY_CONTROLLER } from '../config.ts';
import { toDeclarative } from '../kong/declarative.ts';
import { type OfflineResult, translateAll } from '../translate/offline.ts';
import { GATES } from '../translate/kong-features.ts';
import type { TranslateOptions } from '../translate/types.ts';
import { badArguments, parseArguments } from './arguments.ts';
import { readManifests } from './files.ts';

export const usage = `translate -f FILE|DIR|- [--router-flavor traditional|expressions] [--feature-gates A=true,B=false]
          [--ingress-class NAME] [--kong-version VERSION] [--output declarative|entities|json] [--raw]
  Prints what the manifests become in Kong, without a cluster, a Kong or a database. VERSION is like 3.9.1 for the
  community edition, 3.9.1-enterprise for the other one, which is assumed when it is not given. Exit code 2: a finding
  on standard error is an error.`;

/** Offline nothing is known of the Kong that will get the entities: the newest that the rules are written for. */
const DEFAULT_KONG_VERSION = '3.9.1-enterprise';

type Output = 'declarative' | 'entities' | 'json';

interface Arguments {
  readonly file: string;
  readonly output: Output;
  readonly options: TranslateOptions;
}

function featureGates(value: string): Record<string, boolean> {
  const gates: Record<string, boolean> = {};
  for (const item of value.split(',').filter((part) => part !== '')) {
    const [name = '', enabled] = item.split('=');
    if (enabled !== 'true' && enabled !== 'false') {
      throw badArguments('--feature-gates must be a list like RewriteURIs=true,GatewayAlpha=false', usage);
    }
    gates[name] = enabled === 'true';
  }
  return gates;
}

function outputOf(value: string): Output {
  if (value === 'declarative' || value === 'entities' || value === 'json') return value;
  throw badArguments('--output must be declarative, entities or json', usage);
}

function flavorOf(value: string): TranslateOptions['routerFlavor'] {
  if (value === 'expressions') return 'expressions';
  if (value === 'traditional' || value === 'traditional_compatible') return 'traditional';
  throw badArguments('--router-flavor must be traditional, traditional_compatible or expressions', usage);
}

function versionOf(value: string): Pick<TranslateOptions, 'kongVersion' | 'kongEdition'> {
  const version = /^\d+\.\d+(\.\d+)*(?=-|$)/.exec(value)?.[0];
  if (version === undefined) throw badArguments('--kong-version must be like 3.9.1 or 3.9.1-enterprise', usage);
  return { kongVersion: version, kongEdition: value.includes('enterprise') ? 'enterprise' : 'community' };
}

const FLAGS = {
  file: { type: 'string', short: 'f' },
  'router-flavor': { type: 'string', default: 'traditional' },
  'feature-gates': { type: 'string', default: '' },
  'ingress-class': { type: 'string', default: 'kong' },
  'kong-version': { type: 'string', default: DEFAULT_KONG_VERSION },
  output: { type: 'string', default: 'declarative' },
  raw: { type: 'boolean', default: false },
} as const;

function argumentsOf(args: readonly string[]): Arguments {
  const { values } = parseArguments({ args: [...args], options: FLAGS }, usage);
  if (values.file === undefined) throw badArguments('-f is missing', usage);
  return {
    file: values.file,
    output: outputOf(values.output),
    options: {
      cluster: 'default',
      ingressClass: values['ingress-class'],
      gatewayController: GATEWAY_CONTROLLER,
      routerFlavor: flavorOf(values['router-flavor']),
      workspace: '',
      clusterDomain: '',
      drainSupport: false,
      featureGates: featureGates(values['feature-gates']),
      ...versionOf(values['kong-version']),
      raw: values.raw,
    },
  };
}

/** The result as text: Kong's declarative format as YAML or JSON, or one entity a line as JSON. */
export function render({ entities }: OfflineResult, output: Output): string {
  if (output === 'entities') return entities.map((entity) => `${JSON.stringify(entity)}\n`).join('');
  const document = toDeclarative(entities);
  return output === 'json'
    ? `${JSON.stringify(document, null, 2)}\n`
    : stringify(document, { lineWidth: 0, aliasDuplicateObjects: false });
}

/** Runs `translate`. Returns the exit code: 2 when a finding is an error. Throws ARGUMENTS_INVALID and MANIFEST_INVALID. */
export async function run(args: readonly string[]): Promise<number> {
  const { file, output, options } = argumentsOf(args);
  const { objects, ignored, broken } = readManifests(file, options.raw);
  const result = await translateAll(objects, options);
  process.stdout.write(render(result, output));
  for (const gate of Object.keys(options.featureGates)) {
    if (!Object.hasOwn(GATES, gate)) process.stderr.write(`note feature gate ${gate} decides nothing here\n`);
  }
  for (const line of ignored) process.stderr.write(`note ${line}\n`);
  for (const line of broken) process.stderr.write(`error InvalidObject ${line}\n`);
  for (const { severity, reason, message } of result.findings) {
    process.stderr.write(`${severity} ${reason} ${message}\n`);
  }
  return broken.length > 0 || result.findings.some(({ severity }) => severity === 'error') ? 2 : 0;
}
