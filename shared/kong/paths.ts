import type { EntityType } from './entities.ts';

/** Collections whose Admin API path is not the type's name (Kong 3.9 `GET /endpoints`). */
const COLLECTIONS: { readonly [T in EntityType]?: string } = {
  basicauth_credentials: 'basic-auths',
  hmacauth_credentials: 'hmac-auths',
  jwt_secrets: 'jwts',
  keyauth_credentials: 'key-auths',
  oauth2_credentials: 'oauth2',
  mtls_auth_credentials: 'mtls-auths',
  key_sets: 'key-sets',
  filter_chains: 'filter-chains',
};

/** Admin API path of a collection. Targets have none of their own: `upstreamId` is needed for them (DB §4.1). */
export function collectionPath(type: EntityType, upstreamId?: string): string {
  if (type === 'targets') return `/upstreams/${encodeURIComponent(upstreamId ?? '')}/targets`;
  return `/${COLLECTIONS[type] ?? type}`;
}

/** Admin API path of one entity. */
export function entityPath(type: EntityType, id: string, upstreamId?: string): string {
  return `${collectionPath(type, upstreamId)}/${encodeURIComponent(id)}`;
}
