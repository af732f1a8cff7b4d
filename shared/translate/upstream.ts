import type { Service } from '../kubernetes/resources.ts';
import { annotation } from './annotations.ts';
import type { ResolvedBackend } from './backend.ts';
import type { Context, Draft } from './context.ts';
import { entityId } from './identity.ts';
import { upstreamTargets } from './target.ts';
import { type UpstreamFields, upstreamOverride, upstreamPolicy } from './upstream-policy.ts';

/** What an upstream and its targets have in common with their service. */
export type Common = Pick<Draft, 'tags' | 'gate' | 'quiet' | 'rank'>;

/** What the Services set on their upstream: KongIngress, then the host header, then the policy, which wins (KIC 2.3.6). */
function upstreamFields(context: Context, services: readonly Service[]): UpstreamFields {
  const headers = services.map((service) => annotation(service, 'host-header') ?? '').filter((header) => header !== '');
  const override = upstreamOverride(context, services);
  const header = headers.at(-1);
  return {
    ...override,
    ...(header === undefined ? {} : { host_header: header }),
    ...upstreamPolicy(context, services),
  };
}

/** Proposes an upstream and its targets. Targets have no tags of their own (KIC 2.1.5). */
export function proposeUpstream(
  context: Context,
  name: string,
  backends: readonly ResolvedBackend[],
  common: Common,
): void {
  const slot = `upstreams/${name}`;
  const { workspace } = context.options;
  const services = backends.flatMap(({ service }) => (service === undefined ? [] : [service]));
  context.propose({
    ...common,
    slot,
    type: 'upstreams',
    id: entityId('upstreams', name, workspace),
    body: { algorithm: 'round-robin', ...upstreamFields(context, services), name },
    refs: {},
  });
  for (const { target, weight } of upstreamTargets(context, backends)) {
    context.propose({
      ...common,
      slot: `targets/${name}|${target}`,
      type: 'targets',
      id: entityId('targets', `${name}|${target}`, workspace),
      body: { target, weight },
      tags: [],
      refs: { upstream: { slot } },
    });
  }
}
