import type { Desired, KnownEntity } from '../plan/types.ts';
import type { Finding } from '../translate/types.ts';
import { finding } from '../findings.ts';
import type { ActualState, Holder, Version } from './actual.ts';
import type { AdminClient } from './admin.ts';
import { differences } from './differences.ts';
import { readAll, schemasFor } from './read.ts';
import type { SchemaOf } from './read.ts';
import type { Body, EntityType } from './entities.ts';

/**
 * How a wanted entity stands against Kong:
 * - `missing`: not there, and nobody holds its unique keys: create;
 * - `unchanged`: same hash and same xmin as after our last write: nothing;
 * - `adopt`: equal although the index did not know it: remember `xmin`, write nothing;
 * - `changed`: another hash than we wrote last, or it differs and we never wrote it: write;
 * - `drift`: we wrote this, and somebody changed it: write;
 * - `moved`: a managed entity under another id holds a unique key. `adopt`: take over `holder.id`, resolve and
 *   compare again; otherwise `holder` has to go first;
 * - `foreign`: it, or what holds its unique key, is not ours, or this Kong has no such type: never touched.
 */
export type Comparison =
  | { readonly state: 'missing'; readonly desired: Desired }
  | { readonly state: 'unchanged' | 'adopt' | 'changed'; readonly desired: Desired; readonly xmin: string }
  | {
      readonly state: 'drift';
      readonly desired: Desired;
      readonly xmin: string;
      /** Dotted names of the fields that differ. */
      readonly fields: readonly string[];
    }
  | { readonly state: 'moved'; readonly desired: Desired; readonly holder: Holder; readonly adopt: boolean }
  | { readonly state: 'foreign'; readonly desired: Desired; readonly finding: Finding };

interface Row {
  readonly desired: Desired;
  readonly known: KnownEntity | undefined;
  readonly version: Version | undefined;
}

/** Types among these that this Kong does not have. */
async function lacking(desired: readonly Desired[], actual: ActualState): Promise<ReadonlySet<EntityType>> {
  const types = [...new Set(desired.map(({ entity }) => entity.type))];
  const lacks = await Promise.all(types.map((type) => actual.lacks(type)));
  return new Set(types.filter((_type, n) => lacks[n]));
}

function unsupported(desired: Desired): Comparison {
  const detail = `${desired.entity.type} ${desired.entity.id} is of a type that this Kong does not have`;
  return { state: 'foreign', desired, finding: finding(desired.root, 'KongTypeMissing', detail) };
}

/** Kong has to be asked: the row is ours, but it is not what we wrote last, or we do not know what that was. */
function needsReading({ desired, known, version }: Row): boolean {
  if (version === undefined || !version.managed) return false;
  if (known?.hash === undefined) return true;
  return known.hash === desired.hash && known.xmin !== version.xmin;
}

/** A write would come, so that a unique key in other hands has to be known before. */
function willWrite(row: Row): boolean {
  if (row.version === undefined) return true;
  return row.version.managed && row.known?.hash !== row.desired.hash;
}

function foreign(desired: Desired, id: string, why: string): Comparison {
  const detail = `${desired.entity.type} ${id} ${why}, and it does not carry the filter tag`;
  return { state: 'foreign', desired, finding: finding(desired.root, 'KongEntityNotOurs', detail) };
}

function held(desired: Desired, holder: Holder): Comparison {
  if (!holder.managed) return foreign(desired, holder.id, 'holds the same name or key in Kong');
  return { state: 'moved', desired, holder, adopt: holder.adopts };
}

function judge(row: Row, holder: Holder | undefined, actual: Body | undefined, schemas: SchemaOf): Comparison {
  const { desired, known, version } = row;
  if (version !== undefined && !version.managed) return foreign(desired, desired.entity.id, 'has this id in Kong');
  if (version === undefined) return holder === undefined ? { state: 'missing', desired } : held(desired, holder);
  const { xmin } = version;
  if (!needsReading(row)) {
    if (known?.hash === desired.hash) return { state: 'unchanged', desired, xmin };
    return holder === undefined ? { state: 'changed', desired, xmin } : held(desired, holder);
  }
  if (actual === undefined) return { state: 'missing', desired };
  const fields = differences(desired.entity, actual, schemas(desired.entity));
  if (fields.length === 0) return { state: 'adopt', desired, xmin };
  if (known?.hash === desired.hash) return { state: 'drift', desired, xmin, fields };
  return holder === undefined ? { state: 'changed', desired, xmin } : held(desired, holder);
}

/**
 * Compares what is wanted with Kong (DESIGN §5 step 4). `known` is by entity id. One SQL statement for what the index
 * knows and nobody touched, a second one when something will be written; the Admin API is asked only about entities
 * that somebody else wrote or that the index does not know. Results are in the order of `desired`.
 */
export async function compare(
  desired: readonly Desired[],
  known: ReadonlyMap<string, KnownEntity>,
  actual: ActualState,
  admin: AdminClient,
): Promise<readonly Comparison[]> {
  const missing = await lacking(desired, actual);
  const possible = desired.filter(({ entity }) => !missing.has(entity.type));
  const versions = await actual.versions(possible.map(({ entity }) => entity));
  const rows = possible.map((item): Row => ({
    desired: item,
    known: known.get(item.entity.id),
    version: versions.get(item.entity.id),
  }));
  const asked = rows.filter(needsReading).map((row) => row.desired.entity);
  const [holders, bodies, schemas] = await Promise.all([
    actual.findUnique(rows.filter(willWrite).map((row) => row.desired.entity)),
    readAll(asked, actual, admin),
    schemasFor(asked, admin),
  ]);
  const byId = new Map(rows.map((row) => [row.desired.entity.id, row]));
  return desired.map((item) => {
    const { id } = item.entity;
    const row = byId.get(id);
    return row === undefined ? unsupported(item) : judge(row, holders.get(id), bodies.get(id), schemas);
  });
}
