import type { KongRoot } from '../kong/root.ts';

/** From where on a timer costs what people notice, s. */
const SLOW_S = 1;
/** Rows of Kong's big tables that fill Kong's default limit of 16 MiB, with room (DB §2.8). */
const ENTITIES_PER_MIB = 12_000;

type Check = (root: KongRoot, entities: number) => string | undefined;

const isHybrid = ({ role }: KongRoot): boolean => role === 'control_plane';

/** What costs seconds or proof (DB §5.6), by the settings that `GET /` shows. */
const CHECKS: readonly Check[] = [
  (root) =>
    root.dbUpdateFrequency > SLOW_S
      ? `db_update_frequency is ${root.dbUpdateFrequency} s: ${
          isHybrid(root)
            ? 'a change of several entities is served that much later'
            : 'nodes hear of changes that much later'
        }; 0.2 to 1 s costs little`
      : undefined,
  (root) =>
    !isHybrid(root) && root.workerStateUpdateFrequency > SLOW_S
      ? `worker_state_update_frequency is ${root.workerStateUpdateFrequency} s: workers look for changes that much later; 0.5 to 1 s costs little`
      : undefined,
  (root) =>
    root.dbUpdatePropagation > 0
      ? `db_update_propagation is ${root.dbUpdatePropagation} s: every change waits for it; it is needed only where nodes read a replica`
      : undefined,
  (root) =>
    root.readOnlyHost === undefined
      ? undefined
      : 'pg_ro_host is set: what Kong reads may be old, so that only the shadow and the canary prove anything; let Kong read the primary',
  (root, entities) =>
    isHybrid(root) && entities > ((root.clusterMaxPayload ?? Infinity) / (1024 * 1024)) * ENTITIES_PER_MIB
      ? `cluster_max_payload is ${root.clusterMaxPayload} bytes: with ${entities} entities data planes may refuse the configuration; raise it on control and data planes`
      : undefined,
  (root) =>
    root.workerConsistency === 'strict'
      ? 'worker_consistency is strict: requests wait for rebuilds; eventual is the default since Kong 3'
      : undefined,
];

/** Settings of Kong that make convergence slow or weaken its proof, each once, with what to do. Pure. */
export function preflight(roots: readonly KongRoot[], entities: number): readonly string[] {
  const flavors = new Set(roots.map(({ routerFlavor }) => routerFlavor));
  const mixed =
    flavors.size > 1
      ? [`router_flavor differs between nodes (${[...flavors].join(', ')}): routes may match differently`]
      : [];
  return [...new Set([...roots.flatMap((root) => CHECKS.flatMap((check) => check(root, entities) ?? [])), ...mixed])];
}
