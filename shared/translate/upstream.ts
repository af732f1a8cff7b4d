import type { Service } from '../kubernetes/resources.ts';
import { annotation, isAnnotated } from './annotations.ts';
import { answered, each } from './answers.ts';
import { type ResolvedBackend, resolveBackend } from './backend.ts';
import { type Context, type Draft, newContext } from './context.ts';
import { entityId } from './identity.ts';
import type { Lookup } from '../kubernetes/lookup.ts';
import type { PlainBackend, Proposal, TranslateOptions } from './types.ts';
import { upstreamTargets } from './target.ts';
import { type UpstreamFields, upstreamOverride, upstreamPolicy } from './upstream-policy.ts';

/** What an upstream and its targets have in common with their service. */
export type Common = Pick<Draft, 'tags' | 'gate' | 'quiet' | 'rank'>;

/** What the Services set on their upstream: KongIngress, then the host header, then the policy, which wins (KIC 2.3.6). */
function upstreamFields(context: Context, all: readonly Service[]): UpstreamFields {
  const services = all.filter(isAnnotated);
  if (services.length === 0) return {};
  const headers = services.map((service) => annotation(service, 'host-header') ?? '').filter((header) => header !== '');
  const override = upstreamOverride(context, services);
  const header = headers.at(-1);
  return {
    ...override,
    ...(header === undefined ? {} : { host_header: header }),
    ...upstreamPolicy(context, services),
  };
}

/** The backends as their root names them, or undefined where more than that decides about their targets. */
function plain(backends: readonly ResolvedBackend[]): readonly PlainBackend[] | undefined {
  if (backends.some(({ backend }) => backend.facade !== undefined)) return undefined;
  return backends.map(({ backend: { namespace, name, port, weight } }) => {
    return { namespace, name, port, ...(weight === undefined ? {} : { weight }) };
  });
}

/** Proposes an upstream's targets. They have no tags of their own (KIC 2.1.5). */
function proposeTargets(
  context: Context,
  name: string,
  backends: readonly ResolvedBackend[],
  common: Omit<Common, 'tags'>,
): void {
  const slot = `upstreams/${name}`;
  for (const { target, weight } of upstreamTargets(context, backends)) {
    context.propose({
      ...common,
      slot: `targets/${name}|${target}`,
      type: 'targets',
      id: entityId('targets', `${name}|${target}`, context.options.workspace),
      body: { target, weight },
      tags: [],
      refs: { upstream: { slot } },
    });
  }
}

/** Proposes an upstream and its targets. */
export function proposeUpstream(
  context: Context,
  name: string,
  backends: readonly ResolvedBackend[],
  common: Common,
): void {
  const services = backends.flatMap(({ service }) => (service === undefined ? [] : [service]));
  const origin = plain(backends);
  context.propose({
    ...common,
    slot: `upstreams/${name}`,
    type: 'upstreams',
    id: entityId('upstreams', name, context.options.workspace),
    body: { algorithm: 'round-robin', ...upstreamFields(context, services), name },
    refs: {},
    ...(origin === undefined ? {} : { backends: origin }),
  });
  proposeTargets(context, name, backends, common);
}

/** An upstream that was proposed, without its body. */
export type Proposed = Pick<Proposal, 'slot' | 'root' | 'rank' | 'gate' | 'quiet'>;

/**
 * The targets that an upstream's root would propose now, made from its backends alone. Undefined when something is
 * wrong with what they name: then the root has to be translated, for its findings. Rejects as the lookup does.
 */
export async function translateTargets(
  upstream: Proposed,
  backends: readonly PlainBackend[],
  lookup: Lookup,
  options: TranslateOptions,
): Promise<readonly Proposal[] | undefined> {
  const { slot, rank, gate, quiet } = upstream;
  const { group, version, kind, namespace, name } = upstream.root;
  const root = { apiVersion: group === '' ? version : `${group}/${version}`, kind, metadata: { namespace, name } };
  const common = { rank, ...(gate === undefined ? {} : { gate }), ...(quiet === undefined ? {} : { quiet }) };
  return answered(lookup, (answers) => {
    const context = newContext(root, answers, options, () => [], false);
    const resolved = each(backends, (backend) => resolveBackend(context, backend));
    proposeTargets(context, slot.slice(slot.indexOf('/') + 1), resolved, common);
    const { findings, proposals } = context.result();
    return findings.length === 0 ? proposals : undefined;
  });
}
