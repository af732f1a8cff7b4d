import { display, finding, refOf } from '../findings.ts';
import { refOfKey } from '../index/refs.ts';
import { ENTITIES } from '../kong/entities.ts';
import type { Key } from '../kubernetes/keys.ts';
import { isKind } from '../kubernetes/kinds.ts';
import type { Lookup } from '../kubernetes/lookup.ts';
import { isResource } from '../kubernetes/object.ts';
import type { Kind, KubernetesObject } from '../kubernetes/resources.ts';
import { shapeProblem } from '../kubernetes/shapes.ts';
import { read } from '../slice/translate.ts';
import { compact } from '../translate/context.ts';
import { isCustomType } from '../translate/custom-entity.ts';
import { isRoot, translateRoot } from '../translate/index.ts';
import type { Finding, TranslateOptions } from '../translate/types.ts';
import { policyFields } from '../translate/upstream-policy.ts';
import { credentialFindings } from './credential.ts';
import { type Draft, NOTHING, type SchemaCheck, together } from './draft.ts';
import { kindFindings } from './kind-checks.ts';
import { draftPlugin, isPlugin, meets, pluginSecrets } from './plugin.ts';

/** Stands for the service or route that an entity of the user's own hangs on: Kong's schema looks at its form alone. */
const SOME_ID = { id: '00000000-0000-4000-8000-000000000000' };

/** Types whose values are secret by themselves. */
const SECRET_TYPES = new Set(['keys']);

function customEntityChecks(object: KubernetesObject, options: TranslateOptions): readonly SchemaCheck[] {
  if (!isResource('KongCustomEntity', object) || object.spec === undefined) return [];
  const { type, fields = {} } = object.spec;
  if (!isCustomType(type)) return [];
  const { references } = ENTITIES[type];
  const parent = (['service', 'route'] as const).find((field) => references[field] !== undefined);
  const body = parent === undefined || fields[parent] !== undefined ? fields : { ...fields, [parent]: SOME_ID };
  return [{ type, body, on: refOf(options.cluster, object), inline: !SECRET_TYPES.has(type) }];
}

function upstreamChecks(object: KubernetesObject, options: TranslateOptions): readonly SchemaCheck[] {
  if (!isResource('KongUpstreamPolicy', object)) return [];
  const body = { name: 'policy', ...compact(policyFields(object)) };
  return [{ type: 'upstreams', body, on: refOf(options.cluster, object), inline: true }];
}

function shapeFindings(cluster: string, object: KubernetesObject): readonly Finding[] {
  const problem = isKind(object.kind) ? shapeProblem(object.kind, object) : undefined;
  return problem === undefined ? [] : [finding(refOf(cluster, object), 'InvalidObject', problem)];
}

async function draftOwn(object: KubernetesObject, lookup: Lookup, options: TranslateOptions): Promise<Draft> {
  const drafts: Draft[] = [];
  if (isRoot(object)) drafts.push({ ...NOTHING, ...(await translateRoot(object, lookup, options)) });
  if (object.kind === 'KongPlugin' || object.kind === 'KongClusterPlugin') {
    drafts.push(await draftPlugin(object, lookup, options));
  }
  const ours = !isRoot(object) || drafts.some((draft) => draft.proposals.length + draft.findings.length > 0);
  const own: Draft = {
    ...NOTHING,
    findings: [
      ...(isRoot(object) ? [] : shapeFindings(options.cluster, object)),
      ...credentialFindings(options.cluster, object),
      ...(ours ? kindFindings(options.cluster, object) : []),
    ],
    checks: ours ? [...customEntityChecks(object, options), ...upstreamChecks(object, options)] : [],
  };
  return together([...drafts, own]);
}

/** What a write means for the plugins that roots read together with the object. */
async function draftBeside(
  { kind, namespace, name, beside }: Subject,
  object: KubernetesObject | undefined,
  lookup: Lookup,
  options: TranslateOptions,
): Promise<Draft> {
  const drafts: Draft[] = [];
  const plugins = await Promise.all(beside.map((key) => read(lookup, refOfKey(options.cluster, key))));
  for (const plugin of plugins) {
    if (plugin === undefined || !isPlugin(plugin)) continue;
    if (kind === 'Secret' && pluginSecrets(plugin).includes(`${namespace}/${name}`)) {
      drafts.push(await draftPlugin(plugin, lookup, options));
    }
    if (object !== undefined && isPlugin(object) && meets(object, plugin)) {
      const detail = `instance_name is that of ${display(refOf(options.cluster, plugin))}, which is used with it`;
      drafts.push({ ...NOTHING, findings: [finding(refOf(options.cluster, object), 'KongKeyHeld', detail)] });
    }
  }
  return together(drafts);
}

/** What a write is about. */
export interface Subject {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  /** Plugins that roots read together with it. */
  readonly beside: readonly Key[];
}

/**
 * What the object of a write, or its absence, comes to: its own translation, and what is made of it for others. Rejects as
 * the lookup does.
 */
export async function draftOf(
  subject: Subject,
  object: KubernetesObject | undefined,
  lookup: Lookup,
  options: TranslateOptions,
): Promise<Draft> {
  const own = object === undefined ? NOTHING : await draftOwn(object, lookup, options);
  return together([own, await draftBeside(subject, object, lookup, options)]);
}
