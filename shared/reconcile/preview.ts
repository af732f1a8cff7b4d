import { affected, load, type Intent, type Loaded } from '../index/index.ts';
import { hasIndex } from '../index/migrate.ts';
import { overview, type Overview } from '../index/overview.ts';
import { keyOf, type Key } from '../kubernetes/keys.ts';
import { isGone } from '../kubernetes/object.ts';
import type { KubernetesObject } from '../kubernetes/resources.ts';
import { snapshotLookup } from '../kubernetes/snapshot.ts';
import { actualState, type ActualState } from '../kong/actual.ts';
import type { AdminClient } from '../kong/admin.ts';
import { differences } from '../kong/differences.ts';
import { readAll, schemasFor } from '../kong/read.ts';
import { brakes } from '../plan/brake.ts';
import { changesOf, subject } from '../plan/plan.ts';
import type { Change, Desired, Plan } from '../plan/types.ts';
import type { ReconcileTools } from '../reconcile.ts';
import { guarded } from '../slice.ts';
import { decide, type Decision } from '../slice/decide.ts';
import { proposalsOf, type Gathered } from '../slice/gather.ts';
import { resolveLoaded } from '../slice/resolve.ts';
import { translateKey, type Translated } from '../slice/translate.ts';
import { isRoot } from '../translate/index.ts';
import type { Finding } from '../translate/types.ts';
import type { Managed } from './compare.ts';

/** A change that a run would make. */
export interface PendingChange {
  readonly change: Change;
  /** Dotted names of the fields that differ, for updates; never their values. */
  readonly fields: readonly string[];
}

/** What a reconcile would do now. */
export interface Preview {
  /** In the order of writing. */
  readonly changes: readonly PendingChange[];
  /** What the index does not know and Kong has just so: taken over without a write. */
  readonly adoptions: readonly Desired[];
  /** What is wanted and would not be written, and why: collisions, quarantine. */
  readonly withheld: Plan['withheld'];
  readonly findings: readonly Finding[];
  /** The deletes are so many that a run holds them back unless forced. */
  readonly braked: boolean;
}

const EMPTY: Overview = { roots: new Map(), entities: [], due: [] };
const NOTHING: Loaded = { old: [], slots: new Map(), quarantine: new Map(), failing: new Set() };

interface Index {
  readonly overview: Overview;
  readonly loaded: Loaded;
  readonly intents: readonly Intent[];
}

async function translateAll(
  { options, translate }: ReconcileTools['dependencies'],
  objects: readonly KubernetesObject[],
): Promise<ReadonlyMap<Key, Translated>> {
  const lookup = snapshotLookup(objects);
  const translated = new Map<Key, Translated>();
  for (const object of objects) {
    if (isGone(object) || !isRoot(object)) continue;
    translated.set(keyOf(object), await translateKey(keyOf(object), lookup, options, translate));
  }
  return translated;
}

/** All that the index knows. Roots that could not be translated stay outside, with what they proposed before. */
async function readIndex(
  { statePool, options }: ReconcileTools['dependencies'],
  translated: ReadonlyMap<Key, Translated>,
): Promise<Index> {
  if (!(await hasIndex(statePool))) return { overview: EMPTY, loaded: NOTHING, intents: [] };
  const { intents } = await affected(statePool, options.cluster, []);
  const found = await overview(statePool);
  const inside = [...translated].filter(([, item]) => item.proposals !== undefined).map(([key]) => key);
  const gone = [...found.roots.keys()].filter((key) => !translated.has(key));
  const proposals = proposalsOf(translated);
  const slots = [...proposals.map((item) => item.slot), ...found.entities.map((item) => item.slot)];
  const loaded = await load(statePool, options.cluster, [...inside, ...gone], [...new Set(slots)]);
  return { overview: found, loaded, intents };
}

/** Entities with our tags that the index does not know. They stand with what a slice that died left behind: unless wanted, they go. */
function strays(managed: Managed, { entities }: Overview): readonly Intent[] {
  const known = new Set(entities.map((entity) => entity.id));
  return [...managed].flatMap(([type, rows]) =>
    rows
      .filter(({ id, shared = false }) => !shared && !known.has(id))
      .map(({ id }) => ({ type, id, slot: `${type}/${id}`, root: undefined })),
  );
}

function gathered(
  translated: ReadonlyMap<Key, Translated>,
  loaded: Loaded,
  intents: readonly Intent[],
  filterTags: readonly string[],
): Gathered {
  return {
    changes: [],
    early: [],
    changedKeys: [],
    changedObjects: new Map(),
    translated,
    remaining: [],
    pending: [],
    endpoints: [],
    intents,
    loaded,
    resolution: resolveLoaded(proposalsOf(translated), loaded, filterTags),
    provides: new Map(),
    dirty: undefined,
  };
}

async function withFields(
  changes: readonly Change[],
  actual: ActualState,
  admin: AdminClient,
): Promise<readonly PendingChange[]> {
  const updated = changes.flatMap((change) => (change.action === 'update' ? [change.desired.entity] : []));
  const [bodies, schemas] = await Promise.all([readAll(updated, actual, admin), schemasFor(updated, admin)]);
  return changes.map((change) => {
    const body = bodies.get(subject(change).id);
    if (change.action !== 'update' || body === undefined) return { change, fields: [] };
    const { entity } = change.desired;
    return { change, fields: differences(entity, body, schemas(entity)) };
  });
}

function findingsOf(translated: ReadonlyMap<Key, Translated>, decision: Decision): readonly Finding[] {
  const own = [...translated.values()].flatMap((item) => item.findings);
  return [...own, ...decision.resolution.findings, ...decision.findings];
}

/**
 * What a reconcile would do, computed as one slice over the whole cluster that stops before it writes: neither Kong nor
 * the index is changed, and no lock is taken, so that what others write meanwhile may show. Rejects when a list is not
 * complete, and with KONG_* and INDEX_* errors.
 */
export async function preview({ dependencies, list }: Pick<ReconcileTools, 'dependencies' | 'list'>): Promise<Preview> {
  return guarded(async () => {
    const { kongPool, statePool, kong, admin, options } = dependencies;
    const { objects } = await list();
    const translated = await translateAll(dependencies, objects);
    const { actual = actualState(kongPool, kong) } = dependencies;
    // Kong first: what a slice writes in between then looks known rather than stray.
    const managed = await actual.managed();
    const index = await readIndex(dependencies, translated);
    const intents = [...index.intents, ...strays(managed, index.overview)];
    const state = gathered(translated, index.loaded, intents, kong.filterTags);
    const context = { database: statePool, cluster: options.cluster, filterTags: kong.filterTags };
    const decision = await decide(state, {}, { actual, admin }, context);
    const changes = changesOf(decision.plan);
    const known = new Set(index.overview.entities.filter((entity) => !entity.pending).map((entity) => entity.id));
    const deletes = changes.filter((change) => change.action === 'delete').length;
    const size = [...managed.values()].reduce((sum, rows) => sum + rows.length, 0);
    return {
      changes: await withFields(changes, actual, admin),
      adoptions: decision.comparisons.flatMap(({ state: how, desired }) =>
        how === 'adopt' && !known.has(desired.entity.id) ? [desired] : [],
      ),
      withheld: decision.plan.withheld,
      findings: findingsOf(translated, decision),
      braked: brakes(deletes, size, false),
    };
  });
}
