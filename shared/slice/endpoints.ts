import { load, upstreamsOf, type Lock, type SharedTargets, type SharedUpstream } from '../index/index.ts';
import type { Key } from '../kubernetes/keys.ts';
import type { Lookup } from '../kubernetes/lookup.ts';
import { traced } from '../kubernetes/traced.ts';
import { candidate } from '../plan/candidate.ts';
import type { Resolution } from '../plan/resolve.ts';
import type { Proposal, Slot } from '../translate/types.ts';
import { translateTargets } from '../translate/upstream.ts';
import type { Gathered } from './gather.ts';
import { resolveLoaded } from './resolve.ts';
import { targetsHash } from './translate.ts';
import type { SliceDependencies } from './types.ts';

/** What changed endpoints ask for, with no root translated. */
export interface FromEndpoints extends Pick<Gathered, 'loaded' | 'endpoints'> {
  readonly resolution: Resolution;
  /** All that was read. */
  readonly keys: readonly Key[];
}

interface Made {
  readonly shared: SharedTargets;
  /** They count: the roots' proposals for the upstream are not withheld. */
  readonly proposals: readonly Proposal[];
}

function shared(slot: Slot, backends: SharedTargets['backends'], proposals: readonly Proposal[]): SharedTargets {
  return { slot, backends, hash: targetsHash(proposals), targets: proposals.map(candidate) };
}

/** The targets of one upstream, once for all roots that name the same backends; undefined when a root has to say more. */
async function makeTargets(
  upstream: SharedUpstream,
  lookup: Lookup,
  { options }: SliceDependencies,
): Promise<readonly Made[] | undefined> {
  // Roots that do not agree are for an election, with all that they propose.
  if (upstream.sharings.filter(({ counts }) => counts).length > 1) return undefined;
  const made: Made[] = [];
  for (const { backends, counts, best } of upstream.sharings) {
    const proposals = backends === undefined ? undefined : await translateTargets(best, backends, lookup, options);
    if (backends === undefined || proposals === undefined) return undefined;
    made.push({ shared: shared(upstream.slot, backends, proposals), proposals: counts ? proposals : [] });
  }
  return made;
}

/**
 * What a change of endpoints alone makes of the upstreams that have them: their targets are a function of the backends
 * that the index knows, so no root is read, and each upstream is worked off once for all roots that share it. Undefined
 * when that is not so, and the roots have to be translated. `keys`: `EndpointSlice?service=…`.
 */
export async function fromEndpoints(
  lock: Lock,
  keys: readonly Key[],
  lookup: Lookup,
  dependencies: SliceDependencies,
): Promise<FromEndpoints | undefined> {
  const { options, kong } = dependencies;
  const upstreams = await upstreamsOf(lock, options.cluster, keys);
  if (upstreams === undefined || upstreams.length === 0) return undefined;
  const trace = traced(lookup);
  const made: Made[] = [];
  for (const upstream of upstreams) {
    const some = await makeTargets(upstream, trace, dependencies);
    if (some === undefined) return undefined;
    made.push(...some);
  }
  const proposals = made.flatMap((item) => item.proposals);
  const before = upstreams.flatMap(({ targets }) => targets);
  const targets = new Set([...before, ...proposals.map(({ slot }) => slot)]);
  const gates = proposals.flatMap(({ gate }) => gate ?? []);
  const asked = new Set([...upstreams.map(({ slot }) => slot), ...gates, ...targets]);
  const known = await load(lock, options.cluster, [], [...asked]);
  // Whoever proposed a target before does so no longer, or proposes what is here.
  const slots = new Map(
    [...known.slots].map(([slot, { outside, ...state }]) => [
      slot,
      targets.has(slot) || outside === undefined ? state : { ...state, outside },
    ]),
  );
  const loaded = { ...known, slots };
  return {
    loaded,
    resolution: resolveLoaded(proposals, loaded, kong.filterTags),
    endpoints: made.map((item) => item.shared),
    keys: trace.keys(),
  };
}
