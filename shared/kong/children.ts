import type { EntityRef } from '../plan/types.ts';
import { select, Values } from './database.ts';
import { ENTITIES } from './entities.ts';
import type { EntityType } from './entities.ts';
import { managedExpression } from './scope.ts';
import type { Scope } from './scope.ts';

/** An entity that refers to another one. */
export interface Child {
  /** What it refers to. */
  readonly parentId: string;
  /** The child's table, which for our own types is theirs. */
  readonly table: string;
  readonly id: string;
  readonly managed: boolean;
  /** True: Kong deletes it with its parent; false: it blocks the parent's delete (DB §4.2). */
  readonly cascades: boolean;
}

/** References that Kong refuses to cut; all others cascade (DB §1.2). */
const RESTRICTING: ReadonlySet<string> = new Set([
  'routes.service',
  'snis.certificate',
  'services.client_certificate',
  'upstreams.client_certificate',
]);

/** SQL condition "this row of `t` refers to one of these ids", and the id that it refers to. */
interface Link {
  readonly child: EntityType;
  readonly parents: readonly string[];
  readonly column: string;
  readonly cascades: boolean;
}

function links(types: ReadonlySet<EntityType>, refs: readonly EntityRef[]): readonly Link[] {
  const parents = Map.groupBy(refs, (ref) => ref.type);
  return [...types].flatMap((child) =>
    Object.entries(ENTITIES[child].references).flatMap(([field, type]): Link[] => {
      const group = parents.get(type);
      if (group === undefined) return [];
      const cascades = !RESTRICTING.has(`${child}.${field}`);
      return [{ child, parents: group.map((ref) => ref.id), column: `${field}_id`, cascades }];
    }),
  );
}

function subselect(scope: Scope, link: Link, values: Values): string {
  const managed = managedExpression(scope, link.child, 't', values);
  return (
    `SELECT p.id::text AS "parentId", '${ENTITIES[link.child].table}' AS "table", t.id::text AS id, ` +
    `t.managed, ${link.cascades} AS cascades FROM unnest(${values.add(link.parents, 'uuid[]')}) AS p(id) ` +
    // OFFSET 0: one look into the index for each parent, whatever the planner guesses.
    `CROSS JOIN LATERAL (SELECT t.id, ${managed} AS managed FROM ${ENTITIES[link.child].table} t ` +
    `WHERE t.${link.column} = p.id OFFSET 0) AS t`
  );
}

/** Services name their CA certificates in an array, without a foreign key; Kong refuses the delete all the same. */
function caCertificateUsers(scope: Scope, refs: readonly EntityRef[], values: Values): readonly string[] {
  const ids = refs.filter((ref) => ref.type === 'ca_certificates').map((ref) => ref.id);
  if (ids.length === 0) return [];
  return [
    `SELECT c.id::text AS "parentId", 'services' AS "table", t.id::text AS id, ` +
      `${managedExpression(scope, 'services', 't', values)} AS managed, false AS cascades ` +
      `FROM unnest(${values.add(ids, 'uuid[]')}) AS c(id) JOIN services t ON c.id = ANY(t.ca_certificates)`,
  ];
}

/** Types that something can refer to. */
const PARENTS: ReadonlySet<EntityType> = new Set([
  ...Object.values(ENTITIES).flatMap(({ references }) => Object.values(references)),
  'ca_certificates',
]);

/** What refers to these entities, see `ActualState`. */
export async function children(scope: Scope, entities: readonly EntityRef[]): Promise<readonly Child[]> {
  const refs = entities.filter(({ type }) => PARENTS.has(type));
  if (refs.length === 0) return [];
  const values = new Values();
  const types = await scope.types();
  const parts = [
    ...links(types, refs).map((link) => subselect(scope, link, values)),
    ...caCertificateUsers(scope, refs, values),
  ];
  if (parts.length === 0) return [];
  return select<Child>(scope.pool, 'children', parts.join(' UNION ALL '), values.list);
}
