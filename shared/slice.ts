import type pg from 'pg';
import {
  acquire,
  claim,
  commit,
  intend,
  metered,
  migrate,
  samePool,
  type Clock,
  type Committed,
  type IndexPool,
  type Intent,
  type Lock,
  type Meter,
} from './index/index.ts';
import { guarded } from './index/guarded.ts';
import { keyOfRef, type Key } from './kubernetes/keys.ts';
import { actualState } from './kong/actual.ts';
import { apply } from './plan/apply.ts';
import { changesOf, subject } from './plan/plan.ts';
import type { Change, Outcome } from './plan/types.ts';
import { writeCanary } from './slice/canary.ts';
import { decide, type Decision, type Kong } from './slice/decide.ts';
import { gather, type Gathered } from './slice/gather.ts';
import { recoveredRoots } from './slice/recovered.ts';
import { remember, type Done } from './slice/remember.ts';
import { inTurn } from './slice/turn.ts';
import type { SliceDependencies, SliceRequest, SliceResult } from './slice/types.ts';

export { guarded } from './index/guarded.ts';
export type { SliceDependencies, SliceRequest, SliceResult, SliceSettings } from './slice/types.ts';

const migrated = new WeakSet<IndexPool>();
const claimed = new WeakSet<IndexPool>();

/** Makes the index's schema on first use of a pool. */
export async function prepareIndex(pool: IndexPool): Promise<void> {
  if (migrated.has(pool)) return;
  await migrate(pool);
  migrated.add(pool);
}

/** Makes sure on first use of a pool that its index is there and that no other one is for the same entities. */
export async function prepare({ statePool, kongPool, kong }: SliceDependencies): Promise<void> {
  await prepareIndex(statePool);
  if (claimed.has(statePool)) return;
  await claim(statePool, { kongPool, workspace: kong.workspace, filterTags: kong.filterTags });
  claimed.add(statePool);
}

interface Tools {
  readonly dependencies: SliceDependencies;
  readonly state: pg.Pool;
  readonly kongPool: pg.Pool;
  readonly kong: Kong;
  readonly lock: Lock;
}

function intentOf(change: Change): Intent {
  const { type, id } = subject(change);
  if (change.action === 'delete') {
    const { slot, root } = change.current;
    return { type, id, slot, root: root === undefined ? undefined : keyOfRef(root) };
  }
  return { type, id, slot: change.desired.slot, root: keyOfRef(change.desired.root) };
}

/** The commit can read Kong's tables and PostgreSQL's clock by itself. */
function oneDatabase({ statePool, kongPool }: SliceDependencies): boolean {
  return samePool(statePool, kongPool);
}

/** The xmin of what was written. A write of somebody else in between would pass for ours, as Kong has no conditional PUT. */
async function readBack(tools: Tools, outcome: Outcome): Promise<Pick<Done, 'written' | 'readBack'>> {
  const refs = outcome.applied.filter((change) => change.action !== 'delete').map(subject);
  if (refs.length === 0 || oneDatabase(tools.dependencies)) return { written: new Map(), readBack: refs };
  const versions = await tools.kong.actual.versions(refs);
  return { written: new Map([...versions].map(([id, version]) => [id, version.xmin])), readBack: [] };
}

/** Time and snapshot of Kong's PostgreSQL, which the commit takes by itself where the index lives in the same one. */
async function kongClock({ kongPool, dependencies }: Tools): Promise<Clock | undefined> {
  if (oneDatabase(dependencies)) return undefined;
  const { rows } = await kongPool.query<{ now: string; xmax: string }>(
    `SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS now,
       pg_snapshot_xmax(pg_current_snapshot())::text AS xmax`,
  );
  const row = rows[0];
  return row === undefined ? undefined : { now: row.now, snapshotXmax: row.xmax };
}

/** The last write of a revision, and the moment after it. */
async function finish(tools: Tools): Promise<Pick<Done, 'clock' | 'epoch'>> {
  const { dependencies, kong, lock, state } = tools;
  if (dependencies.kong.canary !== true) return { clock: await kongClock(tools) };
  await lock.check();
  const epoch = await writeCanary(state, kong.admin, dependencies);
  return { clock: await kongClock(tools), epoch };
}

const UNFINISHED = { clock: undefined } as const;

const NOTHING: Outcome = { applied: [], rejected: [], requests: 0 };

async function write(tools: Tools, decision: Decision, recovered: boolean): Promise<Done> {
  const { lock, kong, state, dependencies } = tools;
  const intents = changesOf(decision.plan).map(intentOf);
  if (intents.length === 0) {
    const end = recovered ? await finish(tools) : UNFINISHED;
    return { outcome: NOTHING, written: new Map(), readBack: [], intents, ...end };
  }
  await intend(state, intents);
  const { kong: config, pace } = dependencies;
  const outcome = await apply(
    decision.plan,
    { ...kong, concurrency: config.adminConcurrency, ...(pace === undefined ? {} : { pace }) },
    { beforeLevel: () => lock.check() },
  );
  const written = await readBack(tools, outcome);
  const wrote = recovered || outcome.applied.length > 0;
  return { outcome, ...written, intents, ...(wrote ? await finish(tools) : UNFINISHED) };
}

async function runLocked(tools: Tools, request: SliceRequest): Promise<Omit<SliceResult, 'cost'>> {
  const { lock, kong, dependencies } = tools;
  const { options } = dependencies;
  const gathered = await gather(lock, request, dependencies);
  const decision = await decide(gathered, request, kong, {
    database: lock,
    cluster: options.cluster,
    filterTags: dependencies.kong.filterTags,
  });
  const done = await write(tools, decision, gathered.intents.length > 0);
  const memory = remember(gathered, decision, done, options, request.snapshot?.asOf);
  return result(gathered, decision, done, await commit(lock, memory));
}

/** Roots for another slice: those that are left, and those that have to hear what became of their endpoints. */
function remainingOf(gathered: Gathered, decision: Decision, { rejected }: Outcome): readonly Key[] {
  if (gathered.endpoints.length === 0) return gathered.remaining;
  const findings = [...decision.findings, ...rejected.map((item) => item.finding)];
  return [...new Set(findings.map(({ object }) => keyOfRef(object)))];
}

function result(
  gathered: Gathered,
  decision: Decision,
  { outcome }: Done,
  { revision, statuses }: Committed,
): Omit<SliceResult, 'cost'> {
  const known = new Set(
    [...gathered.loaded.slots.values()].flatMap((state) => (state.known?.hash === undefined ? [] : [state.known.id])),
  );
  const lostRows = decision.comparisons.filter((item) => item.state === 'missing' && known.has(item.desired.entity.id));
  return {
    roots: [...gathered.translated.keys()],
    objects: new Map(
      [...gathered.translated].flatMap(([key, { object }]) => (object === undefined ? [] : [[key, object] as const])),
    ),
    remaining: remainingOf(gathered, decision, outcome),
    early: gathered.early,
    applied: outcome.applied,
    rejected: outcome.rejected,
    withheld: decision.plan.withheld,
    drifted: decision.comparisons.filter((item) => item.state === 'drift').length + lostRows.length,
    findings: [
      ...[...gathered.translated.values()].flatMap((item) => item.findings),
      ...decision.resolution.findings,
      ...decision.findings,
      ...outcome.rejected.map((item) => item.finding),
    ],
    recovered: recoveredRoots(gathered, decision, outcome),
    revision,
    changed: gathered.changedKeys,
    statuses,
  };
}

/** With the lock: everything that is counted happens from here on. */
async function runHolding(
  lock: Lock,
  meter: Meter,
  request: SliceRequest,
  dependencies: SliceDependencies,
): Promise<SliceResult> {
  const { kubernetes, admin } = dependencies;
  const [kubernetesBefore, kongBefore] = [kubernetes.requests, admin.requests()];
  const state = metered(dependencies.statePool, meter);
  const kongPool = metered(dependencies.kongPool, meter);
  const kong = { actual: dependencies.actual ?? actualState(kongPool, dependencies.kong), admin };
  const outcome = await runLocked({ dependencies, state, kongPool, kong, lock }, request);
  return {
    ...outcome,
    cost: {
      kubernetesRequests: kubernetes.requests - kubernetesBefore,
      kongRequests: admin.requests() - kongBefore,
      sqlStatements: meter.statements,
    },
  };
}

/** Waits for the right to write, and gives it up after `work`, unless that has committed. Rejects with LOCK_BUSY. */
export async function holdingLock<T>(
  { statePool, settings, kong }: Pick<SliceDependencies, 'statePool' | 'settings' | 'kong'>,
  work: (lock: Lock, meter: Meter) => Promise<T>,
): Promise<T> {
  return inTurn(statePool, settings.lockWaitMs, async () => {
    const meter: Meter = { statements: 0 };
    const name = `control-plane/${kong.workspace}`;
    const lock = await acquire(statePool, meter, { name, waitMs: settings.lockWaitMs });
    try {
      return await work(lock, meter);
    } finally {
      await lock.release();
    }
  });
}

/**
 * One run of the only write path (DESIGN §5): reads what the changes touch, brings Kong to it, remembers it. Safe to
 * repeat, to interrupt anywhere and to run twice at once. Rejects with LOCK_BUSY, LOCK_LOST, INDEX_*, KUBERNETES_* and
 * KONG_* errors; then nothing is remembered but the intents, which the next slice takes up.
 */
export async function runSlice(request: SliceRequest, dependencies: SliceDependencies): Promise<SliceResult> {
  return guarded(async () => {
    await prepare(dependencies);
    return holdingLock(dependencies, (lock, meter) => runHolding(lock, meter, request, dependencies));
  });
}
