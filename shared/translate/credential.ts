import { createHash } from 'node:crypto';
import type { EntityType } from '../kong/entities.ts';
import type { Secret } from '../kubernetes/resources.ts';
import { goInteger, listOf } from './annotations.ts';
import type { Consumer } from './consumer-identity.ts';
import { type Context, type Draft, find, rankOf, objectTags } from './context.ts';
import { entityId } from './identity.ts';
import { secretText } from './secret.ts';

export const CREDENTIAL_LABEL = 'konghq.com/credential';

type Fields = Draft['body'];

/** One of Kong's credential types (KIC 2.10.2). */
export interface CredentialType {
  readonly entity: EntityType;
  /** Fields without which there is no credential; the first is what Kong holds unique. */
  readonly required: readonly [string, ...string[]];
  /** Fields that may be there, as texts. */
  readonly optional: readonly string[];
  /** The unique field is unique for one consumer only. */
  readonly perConsumer?: true;
  readonly enterprise?: true;
}

const TYPES: Readonly<Record<string, CredentialType>> = {
  'key-auth': { entity: 'keyauth_credentials', required: ['key'], optional: ['ttl'] },
  'basic-auth': { entity: 'basicauth_credentials', required: ['username'], optional: ['password'] },
  'hmac-auth': { entity: 'hmacauth_credentials', required: ['username'], optional: ['secret'] },
  jwt: { entity: 'jwt_secrets', required: ['key'], optional: ['algorithm', 'rsa_public_key', 'secret'] },
  oauth2: {
    entity: 'oauth2_credentials',
    required: ['client_id', 'name'],
    optional: ['client_secret', 'redirect_uris', 'hash_secret'],
  },
  acl: { entity: 'acls', required: ['group'], optional: [], perConsumer: true },
  'mtls-auth': {
    entity: 'mtls_auth_credentials',
    required: ['subject_name'],
    optional: ['ca_certificate'],
    enterprise: true,
  },
};

function booleanField(value: string): boolean | undefined {
  return value === 'true' ? true : value === 'false' ? false : undefined;
}

/** Fields that are no texts in Kong: how they are read, and what stands for a value that cannot be. */
const CONVERSIONS: Readonly<
  Record<string, { readonly read: (value: string) => Fields[string]; readonly otherwise?: Fields[string] }>
> = {
  ttl: { read: goInteger },
  hash_secret: { read: booleanField, otherwise: false },
  redirect_uris: { read: listOf },
  ca_certificate: { read: (id) => ({ id }) },
};

function fieldValue(context: Context, secret: Secret, field: string): Fields[string] {
  const text = secretText(secret, field);
  const conversion = CONVERSIONS[field];
  if (text === undefined || conversion === undefined) return text;
  const value = conversion.read(text);
  if (value === undefined)
    context.report(secret, 'InvalidCredentialField', `data.${field} has a value that it cannot have`);
  return value ?? conversion.otherwise;
}

function credentialFields(context: Context, secret: Secret, label: string, type: CredentialType): Fields {
  const fields = [...type.required, ...type.optional].map((field) => [field, fieldValue(context, secret, field)]);
  const body: Fields = Object.fromEntries(fields);
  return label === 'jwt'
    ? { ...body, algorithm: body['algorithm'] === '' ? 'HS256' : (body['algorithm'] ?? 'HS256') }
    : body;
}

/** The credential of a Secret, or why there is none. */
export function credentialType(secret: Secret): readonly [string, CredentialType] | string {
  const label = secret.metadata.labels?.[CREDENTIAL_LABEL];
  if (label === undefined) return `has no label ${CREDENTIAL_LABEL}`;
  const type = Object.hasOwn(TYPES, label) ? TYPES[label] : undefined;
  if (type === undefined)
    return `has the label ${CREDENTIAL_LABEL} with a type that is none of ${Object.keys(TYPES).join(', ')}`;
  const missing = type.required.find((field) => (secretText(secret, field) ?? '') === '');
  return missing === undefined ? [label, type] : `lacks ${missing}`;
}

/** Keys of credentials are secret themselves, so that slots and ids are made of their digest. */
export function uniqueKey(value: string): string {
  return createHash('sha256').update(value).digest('hex');
}

/**
 * Proposes the credential that a Secret of the consumer's namespace holds. It counts only while this KongConsumer has
 * the Kong consumer, so that nobody can add credentials to another one's.
 */
export function proposeCredential(context: Context, consumer: Consumer, name: string): void {
  const namespace = consumer.object.metadata.namespace ?? '';
  const secret = find(context, 'Secret', namespace, name);
  if (secret === undefined) {
    const detail = `credentials names Secret ${namespace}/${name}, which does not exist`;
    context.report(consumer.object, 'SecretNotFound', detail);
    return;
  }
  const found = credentialType(secret);
  if (typeof found === 'string') {
    context.report(
      consumer.object,
      'InvalidCredential',
      `credentials names Secret ${namespace}/${name}, which ${found}`,
    );
    return;
  }
  const [label, type] = found;
  if (type.enterprise === true && context.options.kongEdition === 'community') {
    context.report(
      consumer.object,
      'UnsupportedByKong',
      `credential ${name} is of type ${label}, which needs Kong Enterprise`,
    );
    return;
  }
  const unique = secretText(secret, type.required[0]) ?? '';
  const key = uniqueKey(type.perConsumer === true ? `${consumer.slot} ${unique}` : unique);
  context.propose({
    slot: `${type.entity}/${key}`,
    type: type.entity,
    id: entityId('credentials', `${type.entity}:${key}`, context.options.workspace),
    body: credentialFields(context, secret, label, type),
    tags: objectTags(context, secret),
    refs: { consumer: { slot: consumer.slot } },
    rank: rankOf(secret, 0),
    gate: consumer.slot,
    exclusive: true,
  });
}
