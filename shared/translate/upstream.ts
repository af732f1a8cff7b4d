import { annotation } from './annotations.ts';
import type { ResolvedBackend } from './backend.ts';
import type { Context, Draft } from './context.ts';
import { entityId } from './identity.ts';
import { upstreamTargets } from './target.ts';

/** What an upstream and its targets have in common with their service. */
export type Common = Pick<Draft, 'tags' | 'gate' | 'quiet' | 'rank'>;

function hostHeader(backends: readonly ResolvedBackend[]): string | undefined {
  const headers = backends.flatMap(({ service }) => {
    const header = service === undefined ? undefined : annotation(service, 'host-header');
    return header === undefined || header === '' ? [] : [header];
  });
  return headers.at(-1);
}

/** Proposes an upstream and its targets. Targets have no tags of their own (KIC 2.1.5). */
export async function proposeUpstream(
  context: Context,
  name: string,
  backends: readonly ResolvedBackend[],
  common: Common,
): Promise<void> {
  const slot = `upstreams/${name}`;
  const { workspace } = context.options;
  context.propose({
    ...common,
    slot,
    type: 'upstreams',
    id: entityId('upstreams', name, workspace),
    body: { name, algorithm: 'round-robin', host_header: hostHeader(backends) },
    refs: {},
  });
  for (const { target, weight } of await upstreamTargets(context, backends)) {
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
