import { COMPARED_COLUMNS } from './content.ts';

/** Table → what is read of it to judge convergence, beside the entities; `xmin` is PostgreSQL's own. */
const EVIDENCE_COLUMNS: Readonly<Record<string, readonly string[]>> = {
  clustering_data_planes: ['id', 'hostname', 'ip', 'version', 'sync_status', 'config_hash', 'last_seen', 'xmin'],
  clustering_sync_version: ['version', 'xmin'],
  cluster_events: ['at', 'channel', 'data', 'node_id'],
};

/**
 * The grants that a role needs to judge convergence of Kong 3.9, and nothing more: no column with a key, a secret or a plugin's
 * configuration.
 */
export const GRANTS: readonly (readonly [table: string, columns: readonly string[]])[] = [
  ...Object.entries(EVIDENCE_COLUMNS),
  ...[...COMPARED_COLUMNS].map(([table, columns]): readonly [string, readonly string[]] => [
    table,
    [...columns, 'xmin'],
  ]),
];

/** The grants as SQL statements for a role. Pure. */
export function grantStatements(role: string): readonly string[] {
  return GRANTS.map(([table, columns]) => `GRANT SELECT (${columns.join(', ')}) ON ${table} TO ${role};`);
}
