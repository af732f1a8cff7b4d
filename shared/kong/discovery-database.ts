import type { AdminNode } from './admin-nodes.ts';
import { databaseAddress } from './root.ts';
import type { KongRoot } from './root.ts';

/** A node with what it says of itself (`GET /`). */
export interface AnsweringNode {
  readonly node: AdminNode;
  readonly root: KongRoot;
}

/** Nodes by whether they use the one database that may be written. */
export interface ByDatabase {
  /** All use the same database. */
  readonly usable: readonly AnsweringNode[];
  /** They use another one, and are left alone. */
  readonly foreign: readonly AnsweringNode[];
  /** One sentence about the disagreement; undefined when there is none. */
  readonly disagreement: string | undefined;
}

const POSTGRES_PORT = 5432;

/** The address of a DSN as a node shows its own; undefined when the DSN leaves parts to the driver. */
function addressOfDsn(databaseUrl: string): string | undefined {
  const dsn = URL.parse(databaseUrl);
  if (dsn === null || dsn.hostname === '' || dsn.pathname.length < 2) return undefined;
  const port = dsn.port === '' ? POSTGRES_PORT : Number(dsn.port);
  return databaseAddress(dsn.hostname, port, decodeURIComponent(dsn.pathname.slice(1)), undefined);
}

function describe(groups: ReadonlyMap<string, readonly AnsweringNode[]>): string {
  return [...groups]
    .map(([address, group]) => `${group.map(({ node }) => node.name).join(', ')}: ${address || 'not shown'}`)
    .join('; ');
}

/**
 * Parts nodes by the PostgreSQL that their settings name (`pg_host`, `pg_port`, `pg_database`, `pg_schema`): Kong shows
 * nothing else of it. Where they name several, only those that name the one of KONG_DATABASE_URL may be used, and none
 * when that is none of them: two databases are never mixed. Pure.
 */
export function byDatabase(nodes: readonly AnsweringNode[], databaseUrl: string): ByDatabase {
  const groups = Map.groupBy(nodes, ({ root }) => root.databaseAddress ?? '');
  if (groups.size < 2) return { usable: nodes, foreign: [], disagreement: undefined };
  const usable = groups.get(addressOfDsn(databaseUrl) ?? 'none') ?? [];
  return {
    usable,
    foreign: nodes.filter((item) => !usable.includes(item)),
    disagreement: `nodes of the Admin API use different databases (${describe(groups)})`,
  };
}
