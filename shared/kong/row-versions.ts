import { ENTITIES, type EntityType } from './entities.ts';

/**
 * SQL for `type, id, xmin` of the rows of Kong's tables that the relation `of` (`type text, id uuid`) names, for a
 * statement that does more than that; without types, SQL for no rows. Pure.
 */
export function rowVersions(types: Iterable<EntityType>, of: string): string {
  const parts = [...new Set(types)].map(
    (type) =>
      `SELECT '${type}' AS type, t.id, t.xmin::text AS xmin FROM ${ENTITIES[type].table} t ` +
      `WHERE t.id = ANY (ARRAY(SELECT id FROM ${of} WHERE type = '${type}'))`,
  );
  return parts.length === 0
    ? "SELECT ''::text AS type, NULL::uuid AS id, ''::text AS xmin WHERE false"
    : parts.join(' UNION ALL ');
}
