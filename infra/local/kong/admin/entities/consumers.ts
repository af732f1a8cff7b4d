import { createHash, createPublicKey, pbkdf2Sync, randomBytes } from 'node:crypto';
import type { JsonObject } from '../json.ts';
import { foreignId, text } from '../json.ts';
import { flag, foreign, id, oneOf, SECONDS, string, strings, tags, times } from '../schema/typedefs.ts';
import type { Field, Fields } from '../schema/types.ts';
import { define } from './definition.ts';
import type { Definition } from './definition.ts';

export const consumers = define({
  name: 'consumers',
  table: 'consumers',
  path: 'consumers',
  endpointKey: 'username',
  cacheKey: ['id'],
  fields: { ...id, ...times, username: string({ unique: true }), custom_id: string({ unique: true }), tags },
  entity_checks: [{ at_least_one_of: ['custom_id', 'username'] }],
});

type Credential = Pick<Definition, 'name' | 'cacheKey'> & { path: string; nestedPath: string } & Partial<Definition>;

function credential(definition: Credential, fields: Fields): Definition {
  const consumer = foreign('consumers', { required: true, on_delete: 'cascade' });
  return define({
    table: definition.name,
    core: false,
    ...definition,
    fields: { ...id, created_at: SECONDS, consumer, ...fields, tags },
  });
}

/** A text that must be there, but that Kong makes when it is not sent. */
const made = (more: Partial<Field> = {}): Field => string({ auto: true, ...more });

const acls = credential(
  { name: 'acls', path: 'acls', nestedPath: 'acls', cacheKey: ['consumer', 'group'], cacheKeyColumn: true },
  { group: string({ required: true }) },
);

const basicAuth = credential(
  {
    name: 'basicauth_credentials',
    path: 'basic-auths',
    nestedPath: 'basic-auth',
    endpointKey: 'username',
    cacheKey: ['username'],
  },
  {
    username: string({ required: true, unique: true }),
    password: string({ required: true, encrypted: true }),
  },
);

const hmacAuth = credential(
  {
    name: 'hmacauth_credentials',
    path: 'hmac-auths',
    nestedPath: 'hmac-auth',
    endpointKey: 'username',
    cacheKey: ['username'],
  },
  { username: string({ required: true, unique: true }), secret: made() },
);

const keyAuth = credential(
  {
    name: 'keyauth_credentials',
    path: 'key-auths',
    nestedPath: 'key-auth',
    endpointKey: 'key',
    cacheKey: ['key'],
    ttl: true,
  },
  { key: made({ required: false, unique: true }) },
);

const ALGORITHMS = [
  'HS256',
  'HS384',
  'HS512',
  'RS256',
  'RS384',
  'RS512',
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
  'EdDSA',
];
const KEY_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'EdDSA'];

function publicKeyError(value: string): string | undefined {
  try {
    createPublicKey(value);
    return undefined;
  } catch {
    return 'invalid key';
  }
}

const jwt = credential(
  { name: 'jwt_secrets', path: 'jwts', nestedPath: 'jwt', endpointKey: 'key', cacheKey: ['key'] },
  {
    key: made({ required: false, unique: true }),
    secret: made(),
    rsa_public_key: string({ custom: publicKeyError }),
    algorithm: oneOf(ALGORITHMS, { default: 'HS256' }),
  },
);

const jwtSecrets: Definition = {
  ...jwt,
  entity_checks: [
    {
      conditional: {
        if_field: 'algorithm',
        if_match: { match_any: { patterns: KEY_ALGORITHMS.map((algorithm) => `^${algorithm}$`) } },
        then_field: 'rsa_public_key',
        then_match: { required: true },
      },
    },
  ],
};

const redirectUri = string({
  custom: (value) => (URL.canParse(value) ? undefined : `cannot parse '${value}'`),
});

const oauth2 = credential(
  {
    name: 'oauth2_credentials',
    path: 'oauth2',
    nestedPath: 'oauth2',
    endpointKey: 'client_id',
    cacheKey: ['client_id'],
  },
  {
    name: string({ required: true }),
    client_id: made({ required: false, unique: true }),
    client_secret: made({ required: false, encrypted: true }),
    hash_secret: flag(false),
    redirect_uris: strings({ required: false, elements: redirectUri }),
    client_type: oneOf(['confidential', 'public'], { required: true, default: 'confidential' }),
  },
);

export const CONSUMER_ENTITIES: readonly Definition[] = [
  consumers,
  acls,
  basicAuth,
  hmacAuth,
  keyAuth,
  jwtSecrets,
  oauth2,
];

/** The row to store: secrets that were sent in clear are stored as Kong stores them, hashed. */
export function hashSecrets(definition: Definition, sent: JsonObject, entity: JsonObject): JsonObject {
  if (definition.name === 'basicauth_credentials' && typeof sent['password'] === 'string') {
    const salted = sent['password'] + foreignId(entity['consumer']);
    return { ...entity, password: createHash('sha1').update(salted).digest('hex') };
  }
  const secret = entity['client_secret'];
  if (definition.name === 'oauth2_credentials' && entity['hash_secret'] === true && !text(secret).startsWith('$')) {
    return { ...entity, client_secret: pbkdf2(text(secret)) };
  }
  return entity;
}

const ITERATIONS = 10_000;

function pbkdf2(secret: string): string {
  const salt = randomBytes(16);
  const hash = pbkdf2Sync(secret, salt, ITERATIONS, 32, 'sha512');
  return `$pbkdf2-sha512$i=${ITERATIONS},l=32$${base64(salt)}$${base64(hash)}`;
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}
