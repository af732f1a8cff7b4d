import type { Holder } from './actual.ts';
import { select, Values } from './database.ts';
import { ENTITIES } from './entities.ts';
import type { Body, Entity, EntityType } from './entities.ts';
import { referenceId } from './json.ts';
import { managedExpression } from './scope.ts';
import type { Scope } from './scope.ts';
import { adoptsId, uniqueKeys } from './unique.ts';

interface Wanted {
  readonly entity: Entity;
  readonly columns: readonly string[];
  readonly values: readonly (string | null)[];
}

/** Keys that one sub-select can answer: the same type, the same columns, empty in the same places. */
function groupOf({ entity, columns, values }: Wanted): string {
  const filled = values.map((value) => (value === null ? '-' : '+'));
  return [entity.type, ...columns, ...filled, adoptsId(entity, columns)].join(' ');
}

/** Whether a column of a unique key holds another entity's id. */
function isId(column: string): boolean {
  return column.endsWith('_id') && column !== 'custom_id' && column !== 'client_id';
}

/** Columns whose values many rows share: a plugin's type, an ACL's group. */
const SHARED: ReadonlySet<string> = new Set(['name', 'group']);

/**
 * Equality that no index is used for. In a key with an id, what many rows share (a type, no service, the workspace) is not
 * the way to the row; PostgreSQL would take it for one while it has no statistics.
 */
const IS = 'IS NOT DISTINCT FROM';

function subselect(scope: Scope, group: readonly Wanted[], values: Values): string {
  const [first] = group;
  if (first === undefined) return '';
  const { type } = first.entity;
  const present = first.columns.flatMap((column, n) => (first.values[n] === null ? [] : [{ column, n }]));
  const lists = present.map(({ column, n }) =>
    values.add(
      group.map((wanted) => wanted.values[n]),
      isId(column) ? 'uuid[]' : 'text[]',
    ),
  );
  const ids = values.add(
    group.map((wanted) => wanted.entity.id),
    'uuid[]',
  );
  const names = present.map((_item, n) => `v${n}`);
  const empty = first.columns.filter((_column, n) => first.values[n] === null);
  const byId = present.some(({ column }) => isId(column));
  const conditions = [
    ...present.map(({ column }, n) => `t."${column}" ${byId && SHARED.has(column) ? IS : '='} w.v${n}`),
    ...empty.map((column) => (byId ? `num_nulls(t."${column}") = 1` : `t."${column}" IS NULL`)),
    't.id <> w.wanted',
  ];
  // OFFSET 0: one look into an index for each of them, whatever the planner guesses; it would read the whole table for many.
  return (
    `SELECT w.wanted::text AS wanted, t.* ` +
    `FROM unnest(${[ids, ...lists].join(', ')}) AS w(${['wanted', ...names].join(', ')}) CROSS JOIN LATERAL (` +
    `SELECT '${type}' AS type, t.id::text AS id, t.xmin::text AS xmin, ` +
    `${adoptsId(first.entity, first.columns)} AS adopts, ` +
    `${managedExpression(scope, type, 't', values)} AS managed ` +
    `FROM ${ENTITIES[type].table} t WHERE ${conditions.join(' AND ')}${sameWorkspace(scope, type, byId, values)} OFFSET 0) AS t`
  );
}

/** Unique in all of Kong; all other names are unique inside a workspace (DB §1.2). */
const GLOBAL: ReadonlySet<EntityType> = new Set([
  'ca_certificates',
  'snis',
  'vaults',
  'key_sets',
  'keys',
  'filter_chains',
]);

function sameWorkspace(scope: Scope, type: EntityType, byId: boolean, values: Values): string {
  if (GLOBAL.has(type)) return '';
  return ` AND t.ws_id ${byId ? IS : '='} (SELECT id FROM workspaces WHERE name = ${values.add(scope.workspace, 'text')})`;
}

type Row = Holder & { readonly wanted: string };

async function lookUp(scope: Scope, entities: readonly Entity[]): Promise<ReadonlyMap<string, Holder>> {
  const wanted = entities.flatMap((entity) => uniqueKeys(entity).map((key) => ({ entity, ...key })));
  if (wanted.length === 0) return new Map();
  const values = new Values();
  const parts = [...Map.groupBy(wanted, groupOf).values()].map((group) => subselect(scope, group, values));
  const rows = await select<Row>(scope.pool, 'unique keys', parts.join(' UNION ALL '), values.list);
  const sorted = rows.toSorted((a, b) => Number(b.managed) - Number(a.managed) || Number(a.adopts) - Number(b.adopts));
  return new Map(sorted.map(({ wanted: id, ...holder }) => [id, holder]));
}

function withAdoptedParents(entity: Entity, holders: ReadonlyMap<string, Holder>): Entity | undefined {
  const moved = Object.keys(ENTITIES[entity.type].references).flatMap((field): [string, Body][] => {
    const holder = holders.get(referenceId(entity.body[field]) ?? '');
    return holder !== undefined && holder.managed && holder.adopts ? [[field, { id: holder.id }]] : [];
  });
  if (moved.length === 0) return undefined;
  return { ...entity, body: { ...entity.body, ...Object.fromEntries(moved) } };
}

/** Wanted id → the row of another id that holds one of its unique keys, see `ActualState`. */
export async function findUnique(scope: Scope, entities: readonly Entity[]): Promise<ReadonlyMap<string, Holder>> {
  const holders = await lookUp(scope, entities);
  // A target's key contains its upstream's id: under an adopted upstream it has to be looked for again.
  const again = entities.flatMap((entity) => withAdoptedParents(entity, holders) ?? []);
  if (again.length === 0) return holders;
  return new Map([...holders, ...(await lookUp(scope, again))]);
}
