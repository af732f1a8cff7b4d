import { createHash } from 'node:crypto';
import type { Body, Entity, EntityType, Json } from './entities.ts';
import { referenceId, text } from './json.ts';
import { normalTarget } from './target.ts';

/** Fields that say nothing about equality: Kong derives them, or another entity type writes them. */
const IGNORED: { readonly [T in EntityType]?: readonly string[] } = {
  certificates: ['snis'],
  ca_certificates: ['cert_digest'],
};

/** Fields that never count when this type is compared. */
export function ignoredFields(type: EntityType): readonly string[] {
  return IGNORED[type] ?? [];
}

const SHA1 = /^[0-9a-f]{40}$/;

/** Kong 3.9 keeps SHA-1 of password and consumer id; a hash of another kind cannot be compared and counts as equal. */
function storedPassword(entity: Entity, actual: Body): Json | undefined {
  const password = text(entity.body.password);
  const stored = text(actual.password);
  if (password === undefined || stored === undefined || !SHA1.test(stored)) return actual.password;
  return createHash('sha1')
    .update(`${password}${referenceId(entity.body.consumer) ?? ''}`)
    .digest('hex');
}

function trimmed(body: Body, fields: readonly string[]): Body {
  const texts = fields.flatMap((field) => {
    const value = body[field];
    return typeof value === 'string' ? [[field, value.trim()] as const] : [];
  });
  return { ...body, ...Object.fromEntries(texts) };
}

/** Hashing on something means consistent hashing, and no `hash_on` means `none` (Kong 3.9 upstream shorthands). */
function upstream(body: Body): Body {
  const hashOn = body.hash_on ?? 'none';
  return { ...body, hash_on: hashOn, ...(hashOn === 'none' ? {} : { algorithm: 'consistent-hashing' }) };
}

/** gRPC routes never strip their path, and Kong's schema does not say so. */
function route(body: Body): Body {
  const { protocols } = body;
  const grpc = Array.isArray(protocols) && (protocols.includes('grpc') || protocols.includes('grpcs'));
  return grpc && body.strip_path === undefined ? { ...body, strip_path: false } : body;
}

/** What is wanted, with what Kong itself changes before it stores it. */
export function normaliseWanted(entity: Entity, actual: Body): Body {
  const body: Body = { ...entity.body, tags: entity.tags };
  switch (entity.type) {
    case 'targets':
      return { ...body, target: normalTarget(text(body.target) ?? '') };
    case 'upstreams':
      return upstream(body);
    case 'routes':
      return route(body);
    case 'certificates':
      return trimmed(body, ['cert', 'key', 'cert_alt', 'key_alt']);
    case 'ca_certificates':
      return trimmed(body, ['cert']);
    case 'basicauth_credentials':
      return { ...body, password: storedPassword(entity, actual) ?? null };
    case 'oauth2_credentials':
      return body.hash_secret === true ? { ...body, client_secret: actual.client_secret ?? null } : body;
    default:
      return body;
  }
}

/** What Kong shows, in the same form. */
export function normaliseActual(type: EntityType, body: Body): Body {
  switch (type) {
    case 'targets':
      return { ...body, target: normalTarget(text(body.target) ?? '') };
    case 'upstreams':
      return upstream(body);
    case 'certificates':
      return trimmed(body, ['cert', 'key', 'cert_alt', 'key_alt']);
    case 'ca_certificates':
      return trimmed(body, ['cert']);
    default:
      return body;
  }
}
