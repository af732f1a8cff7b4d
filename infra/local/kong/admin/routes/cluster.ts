import type { Pool } from 'pg';
import { plainError } from '../dao/kong-error.ts';
import { offsetAfter, pageRequest } from '../dao/paging.ts';
import { ok } from '../http/types.ts';
import type { AdminRequest, Endpoint, Reply } from '../http/types.ts';
import { text } from '../json.ts';
import type { JsonObject } from '../json.ts';
import type { Role } from '../settings.ts';
import { nextPage } from './lookup.ts';

interface Row {
  readonly row: JsonObject;
}

/** Times in seconds since 1970, `ttl` in seconds from now. */
const DATA_PLANE = `json_build_object(
  'id', id, 'hostname', hostname, 'ip', ip, 'config_hash', config_hash, 'version', version, 'sync_status', sync_status,
  'last_seen', floor(extract(epoch FROM last_seen)), 'updated_at', floor(extract(epoch FROM updated_at)),
  'ttl', greatest(0, floor(extract(epoch FROM ttl - now()))),
  'labels', labels, 'cert_details', cert_details, 'rpc_capabilities', rpc_capabilities)`;

/** `/clustering/…`, for control planes only, and `/tags`. */
export function clusterEndpoints(pool: Pool, role: Role): Endpoint[] {
  const assertControlPlane = (): void => {
    if (role === 'control_plane') return;
    throw plainError(
      400,
      'this endpoint is only available when Kong is configured to run as Control Plane for the cluster',
    );
  };
  return [
    {
      path: '/clustering/data-planes',
      methods: {
        GET: async (request) => {
          assertControlPlane();
          return page(request, await dataPlanes(pool, request));
        },
      },
    },
    {
      path: '/clustering/status',
      methods: {
        GET: async () => {
          assertControlPlane();
          const { rows } = await pool.query<Row>(
            `SELECT ${DATA_PLANE} AS row FROM clustering_data_planes WHERE ttl IS NULL OR ttl > now() ORDER BY id`,
          );
          return {
            ...ok(Object.fromEntries(rows.map(({ row }) => [text(row['id']), summary(row)]))),
            headers: { Deprecation: 'true' },
          };
        },
      },
    },
    { path: '/tags', methods: { GET: (request) => tags(pool, request, undefined) } },
    { path: '/tags/{tags}', methods: { GET: (request, tag) => tags(pool, request, tag) } },
  ];
}

function summary({ config_hash = null, last_seen = null, ip = null, hostname = null }: JsonObject): JsonObject {
  return { config_hash, last_seen, ip, hostname };
}

async function dataPlanes(pool: Pool, request: AdminRequest): Promise<JsonObject[]> {
  const { size, after } = pageRequest(request.query);
  const { rows } = await pool.query<Row>(
    `SELECT ${DATA_PLANE} AS row FROM clustering_data_planes
     WHERE (ttl IS NULL OR ttl > now()) AND ($1::uuid IS NULL OR id > $1) ORDER BY id LIMIT $2`,
    [after ?? null, size + 1],
  );
  return rows.map(({ row }) => row);
}

/** One row for each tag of each entity. Pages end at entities, so that an offset is an entity's id. */
async function tags(pool: Pool, request: AdminRequest, tag: string | undefined): Promise<Reply> {
  const { size, after } = pageRequest(request.query);
  const { rows } = await pool.query<Row>(
    `SELECT json_build_object('tag', tag, 'entity_name', entity_name, 'entity_id', entity_id) AS row
     FROM tags CROSS JOIN LATERAL unnest(tags) AS tag
     WHERE ($1::text IS NULL OR tag = $1) AND ($2::uuid IS NULL OR entity_id > $2) ORDER BY entity_id LIMIT $3`,
    [tag ?? null, after ?? null, size + 1],
  );
  return page(
    request,
    rows.map(({ row }) => row),
    'entity_id',
  );
}

function page(request: AdminRequest, rows: readonly JsonObject[], key = 'id'): Reply {
  const { size } = pageRequest(request.query);
  const data = rows.slice(0, size);
  if (rows.length <= size) return ok({ data, next: null });
  const offset = offsetAfter(text(data.at(-1)?.[key]));
  return ok({ data, offset, next: nextPage(request, offset) });
}
