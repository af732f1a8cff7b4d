import { X509Certificate } from 'node:crypto';
import type { Entity, EntityType, Json } from './entities.ts';
import { ENTITIES } from './entities.ts';
import { referenceId, text } from './json.ts';
import { normalTarget } from './target.ts';

/** The value of one unique key of an entity: the SQL columns, and what stands in them (null: nothing). */
export interface UniqueKey {
  readonly columns: readonly string[];
  readonly values: readonly (string | null)[];
}

/** Types for which KIC has no stable id: an entity that is there under another id keeps it (DESIGN §4). */
const ADOPTED_BY_KEY: ReadonlySet<EntityType> = new Set([
  'upstreams',
  'targets',
  'snis',
  'acls',
  'basicauth_credentials',
  'hmacauth_credentials',
  'jwt_secrets',
  'keyauth_credentials',
  'oauth2_credentials',
]);

/**
 * Whether an entity is taken over with the id that it has in Kong, found by this unique key. KIC has no stable id for the
 * plugins that stand for filters, nor for consumers without a username (KIC §3).
 */
export function adoptsId({ type, body }: Pick<Entity, 'type' | 'body'>, columns: readonly string[]): boolean {
  if (type === 'plugins') return columns[0] === 'name';
  if (type === 'consumers') return columns[0] === 'custom_id' && body['username'] === undefined;
  return ADOPTED_BY_KEY.has(type);
}

/** SHA-256 of the certificate itself, as Kong stores it in `cert_digest`; null when it is no certificate. */
function certificateDigest(pem: Json | undefined): string | null {
  if (typeof pem !== 'string') return null;
  try {
    return new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase();
  } catch {
    return null;
  }
}

function columnValue(entity: Entity, column: string): string | null {
  if (column === 'cert_digest') return certificateDigest(entity.body.cert);
  if (column === 'target') return normalTarget(text(entity.body.target) ?? '');
  const field = column.replace(/_id$/, '');
  if (column.endsWith('_id') && ENTITIES[entity.type].references[field] !== undefined) {
    return referenceId(entity.body[field]) ?? null;
  }
  return text(entity.body[column]) ?? null;
}

/**
 * The unique keys that an entity takes up in Kong. Kong ignores a key with an empty part, except for a plugin's scope,
 * where "no route" counts like a route (DB §1.2, `cache_key`).
 */
export function uniqueKeys(entity: Entity): readonly UniqueKey[] {
  return ENTITIES[entity.type].unique
    .map((columns) => ({ columns, values: columns.map((column) => columnValue(entity, column)) }))
    .filter(({ columns, values }) => values.every((value, n) => value !== null || columns[n]?.endsWith('_id') === true))
    .filter(({ values }) => values.some((value) => value !== null));
}
