import type { AdminNode } from '../kong/admin-nodes.ts';
import type { KongRoot } from '../kong/root.ts';
import { canaries } from './canary.ts';
import type { Convergence } from './converge.ts';
import { boundMs, rebuildMs } from './delays.ts';
import { invalidations } from './evidence.ts';
import type { Known, Memory } from './hybrid.ts';
import { pushInvalidate } from './push-invalidate.ts';
import { observedVersions, readVersions } from './node-cache.ts';
import type { CachedVersion } from './node-cache.ts';
import type { NodeFacts, TraditionalFacts } from './traditional-verdict.ts';

/** A node of the Admin API; `root` is undefined when it does not answer. */
export interface ProbedNode {
  readonly node: AdminNode;
  readonly root: KongRoot | undefined;
}

function factsOf({ node, root }: ProbedNode, entities: number, versions: readonly CachedVersion[]): NodeFacts {
  return {
    node: node.name,
    boundMs: root === undefined ? undefined : boundMs(root, entities),
    rebuildMs: root === undefined ? 0 : rebuildMs(root, entities),
    versions,
  };
}

/** Tells the nodes of the newest revision, after their caches were read: they can be seen to change from then on. */
async function tellOthers(
  run: Convergence,
  nodes: readonly ProbedNode[],
  revisions: Known['revisions'],
  memory: Memory,
): Promise<void> {
  const [newest] = revisions;
  const isDue = newest !== undefined && newest.changes > 0 && newest.convergedAt === undefined;
  if (!run.config.pushInvalidate || memory !== 'remember' || !isDue) return;
  const answering = nodes.flatMap(({ node, root }) => (root === undefined ? [] : [{ node, nodeId: root.nodeId }]));
  await pushInvalidate(run, answering, newest);
}

/** Reads all evidence of traditional mode. */
export async function traditionalEvidence(
  run: Convergence,
  { database, revisions }: Known,
  nodes: readonly ProbedNode[],
  memory: Memory,
): Promise<TraditionalFacts> {
  const { now, entities } = database;
  const answering = nodes.flatMap(({ node, root }) => (root === undefined ? [] : [node]));
  const versions =
    memory === 'none'
      ? new Map<string, readonly CachedVersion[]>()
      : await observedVersions(run.index, await readVersions(run.config, answering), now, memory === 'remember');
  await tellOthers(run, nodes, revisions, memory);
  const probed = nodes.map(({ node }) => ({ id: node.name, names: [node.name] }));
  return {
    now,
    revisions,
    told: run.config.pushInvalidate,
    lastEvents: await invalidations(run.kong, revisions),
    nodes: nodes.map((item) => factsOf(item, entities, versions.get(item.node.name) ?? [])),
    canaries: await canaries(run, revisions, probed),
  };
}
