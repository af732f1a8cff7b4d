import { isDeepStrictEqual } from 'node:util';
import type { KubernetesObject } from '../../shared/kubernetes/resources.ts';
import { ENTITIES, type Entity } from '../../shared/kong/entities.ts';
import { subject } from '../../shared/plan/plan.ts';
import type { Change } from '../../shared/plan/types.ts';
import { reconcile } from '../../shared/reconcile.ts';
import { preview } from '../../shared/reconcile/preview.ts';
import type { SliceDependencies } from '../../shared/slice.ts';
import type { TranslateOptions } from '../../shared/translate/types.ts';
import { controlPlane, type ControlPlane } from './control-plane.ts';
import { fromDeclarative, loadEntities } from './declarative.ts';
import type { TemporaryPostgres } from './postgres.ts';

/** What another controller wrote, and from what. */
export interface AdoptionCase {
  readonly name: string;
  readonly objects: readonly KubernetesObject[];
  /** In Kong's declarative format. */
  readonly document: unknown;
  readonly options: TranslateOptions;
}

/** What became of it. */
export interface AdoptionResult {
  readonly name: string;
  /** Entities that were in Kong. */
  readonly loaded: number;
  /** What this Kong would not take, with its words. */
  readonly refused: readonly string[];
  /** Entities that were taken over. */
  readonly adopted: number;
  /** Requests to the Admin API that change something, as `METHOD path`. */
  readonly writes: readonly string[];
  /** What is wrong: rows that changed, entities that are not known afterwards, differences that `diff` shows. */
  readonly problems: readonly string[];
}

type Flavor = TranslateOptions['routerFlavor'];

/** A Kong of each router flavour, emptied before each case. */
export interface Adopter {
  adopt(item: AdoptionCase): Promise<AdoptionResult>;
  stop(): Promise<void>;
}

/** Types that this Kong's database has a table for. */
async function presentTypes({ pool }: ControlPlane): Promise<ReadonlySet<string>> {
  const { rows } = await pool.query<{ name: string }>(
    "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'",
  );
  const tables = new Set(rows.map((row) => row.name));
  return new Set(
    Object.entries(ENTITIES)
      .filter(([, { table }]) => tables.has(table))
      .map(([type]) => type),
  );
}

/** Deletes everything that cases leave, children first. */
async function clear({ pool }: ControlPlane, types: ReadonlySet<string>): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(
    `SELECT schemaname || '.' || tablename AS name FROM pg_tables
     WHERE schemaname LIKE 'kong\\_ingress%' AND tablename <> 'migrations'`,
  );
  const kong = Object.entries(ENTITIES)
    .filter(([type]) => types.has(type))
    .toSorted(([, a], [, b]) => b.level - a.level)
    .map(([, { table }]) => table);
  await pool.query([...kong, ...rows.map((row) => row.name)].map((table) => `DELETE FROM ${table}`).join('; '));
}

/** The upstream that KIC adds to an empty configuration, but never to a Kong with a database. */
function isStub({ type, body }: Entity): boolean {
  return type === 'upstreams' && body['name'] === 'kong';
}

function keys(map: ReadonlyMap<string, string>): string {
  return [...map.keys()].join(' ');
}

function describe(change: Change): string {
  const { type, id } = subject(change);
  return `${change.action} ${type} ${id}`;
}

async function run(plane: ControlPlane, item: AdoptionCase): Promise<AdoptionResult> {
  const types = await presentTypes(plane);
  await clear(plane, types);
  const dependencies: SliceDependencies = { ...plane.dependencies, options: item.options };
  const all = fromDeclarative(item.document, plane.config.filterTags);
  const entities = all.filter((entity) => types.has(entity.type) && !isStub(entity));
  const refused = await loadEntities(plane.admin, entities);
  const loaded = entities.length - refused.length;
  const [rows, sent] = [await plane.rows(), plane.writes.length];
  const list = async (): Promise<{ objects: readonly KubernetesObject[]; requests: number }> => {
    return { objects: item.objects, requests: 1 };
  };
  const shown = await preview({ dependencies, list });
  const report = await reconcile({ dependencies, list, remainingMs: () => 60_000, force: true });
  const again = await reconcile({ dependencies, list, remainingMs: () => 60_000, force: true });
  const after = await plane.rows();
  const known = new Set(report.slices.flatMap((slice) => slice.roots));
  // A create that Kong refuses changes nothing; whatever else diff shows would.
  const changes = shown.changes.filter(({ change }) => refused.length === 0 || change.action !== 'create');
  const problems = [
    ...changes.map(({ change, fields }) => `diff would ${describe(change)} (${fields.join(', ')})`),
    ...(isDeepStrictEqual(rows, after) ? [] : [`rows changed: ${keys(rows)} became ${keys(after)}`]),
    ...(shown.adoptions.length === loaded ? [] : [`${shown.adoptions.length} of ${loaded} adopted`]),
    // What this Kong does not take is tried again.
    ...(again.slices.length === 0 || loaded < all.length ? [] : ['a second run had work to do']),
    ...(known.size > 0 || loaded === 0 ? [] : ['nothing was translated']),
  ];
  return {
    name: item.name,
    loaded,
    refused,
    adopted: shown.adoptions.length,
    writes:
      refused.length === 0 ? plane.writes.slice(sent) : report.slices.flatMap((slice) => slice.applied.map(describe)),
    problems,
  };
}

/** Starts two Kongs on databases of their own. */
export async function startAdopter(server: TemporaryPostgres): Promise<Adopter> {
  const planes = new Map<Flavor, ControlPlane>();
  for (const flavor of ['traditional', 'expressions'] as const) {
    planes.set(flavor, await controlPlane(server, `adoption_${flavor}`, { router_flavor: flavor }));
  }
  return {
    adopt: async (item) => {
      const plane = planes.get(item.options.routerFlavor);
      if (plane === undefined) throw new Error(`no Kong has the router ${item.options.routerFlavor}`);
      return run(plane, item);
    },
    stop: async () => {
      for (const plane of planes.values()) await plane.stop();
    },
  };
}
