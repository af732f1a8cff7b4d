import { table, TIMES } from './table.ts';
import type { Table } from './table.ts';

/** Kong 3.9's tables beside the proxy configuration: workspaces, tags, the cluster's own state. */

export const WORKSPACES: Table = table(
  'workspaces',
  { id: 'uuid', ...TIMES, name: 'text', comment: 'text', meta: 'jsonb', config: 'jsonb' },
  { unique: [['name']] },
);

const tags = table(
  'tags',
  { entity_id: 'uuid', entity_name: 'text', tags: 'text[]' },
  { primaryKey: ['entity_id'], indexes: ['entity_name', 'gin tags'] },
);

const clusterEvents = table(
  'cluster_events',
  {
    id: 'uuid',
    node_id: 'uuid NOT NULL',
    at: 'timestamptz NOT NULL',
    nbf: 'timestamptz',
    expire_at: 'timestamptz NOT NULL',
    channel: 'text',
    data: 'text',
  },
  { indexes: ['at', 'channel', 'expire_at'], expiry: 'expire_at' },
);

const dataPlanes = table(
  'clustering_data_planes',
  {
    id: 'uuid',
    hostname: 'text NOT NULL',
    ip: 'text NOT NULL',
    last_seen: `timestamptz DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC')`,
    config_hash: 'text NOT NULL',
    ttl: 'timestamptz',
    version: 'text',
    sync_status: `text NOT NULL DEFAULT 'unknown'`,
    updated_at: `timestamptz DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC')`,
    labels: 'jsonb',
    cert_details: 'jsonb',
    rpc_capabilities: 'text[]',
  },
  { indexes: ['ttl'], expiry: 'ttl' },
);

const clusteringRpc: readonly Table[] = [
  table(
    'clustering_rpc_requests',
    {
      id: 'bigserial',
      node_id: 'uuid NOT NULL',
      reply_to: 'uuid NOT NULL',
      ttl: 'timestamptz NOT NULL',
      payload: 'json NOT NULL',
    },
    { indexes: ['node_id'] },
  ),
  table('clustering_sync_version', { version: 'serial' }, { primaryKey: ['version'] }),
  table(
    'clustering_sync_delta',
    {
      version: 'integer NOT NULL',
      type: 'text NOT NULL',
      pk: 'json NOT NULL',
      ws_id: 'uuid NOT NULL',
      entity: 'json',
    },
    {
      primaryKey: [],
      foreignKeys: [{ columns: ['version'], table: 'clustering_sync_version', keys: ['version'], onDelete: 'cascade' }],
      indexes: ['version'],
    },
  ),
];

export const NODE_TABLES: readonly Table[] = [
  tags,
  clusterEvents,
  dataPlanes,
  ...clusteringRpc,
  table('parameters', { key: 'text', value: 'text NOT NULL', created_at: 'timestamptz' }, { primaryKey: ['key'] }),
  table('locks', { key: 'text', owner: 'text', ttl: 'timestamptz' }, { primaryKey: ['key'], indexes: ['ttl'] }),
  table(
    'schema_meta',
    { key: 'text', subsystem: 'text', last_executed: 'text', executed: 'text[]', pending: 'text[]' },
    { primaryKey: ['key', 'subsystem'] },
  ),
];
