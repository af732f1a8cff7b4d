import { createPrivateKey, createPublicKey } from 'node:crypto';
import { isObject, parseJson, text } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { arrayOf, flag, foreign, id, name, record, string, tags, times } from '../schema/typedefs.ts';
import type { RecordSchema } from '../schema/types.ts';
import { define } from './definition.ts';
import type { Definition, Resolved } from './definition.ts';

/** The vaults that are there without Kong's Enterprise edition, with their configuration. */
export const VAULTS: Readonly<Record<string, RecordSchema>> = {
  env: {
    fields: { config: record({ prefix: string({ match: '^[%a_][%a%d_]*$' }) }, { required: true }) },
    entity_checks: [],
  },
};

function resolveVault(data: JsonObject): Resolved {
  const vaultName = text(data['name']);
  const vault = Object.hasOwn(VAULTS, vaultName) ? VAULTS[vaultName] : undefined;
  if (vaultName === '') return { errors: { name: 'required field missing' } };
  if (vault === undefined) return { errors: { name: `vault '${vaultName}' is not installed` } };
  return { schema: { fields: { ...vaults.fields, ...vault.fields }, entity_checks: [] } };
}

export const vaults: Definition = define({
  name: 'vaults',
  table: 'sm_vaults',
  path: 'vaults',
  endpointKey: 'prefix',
  cacheKey: ['prefix'],
  fields: {
    ...id,
    prefix: string({
      required: true,
      unique: true,
      unique_across_ws: true,
      match: '^[a-z][a-z%d-]-[a-z%d]+$',
      not_one_of: ['env'],
    }),
    name: string({ required: true }),
    description: string(),
    config: { type: 'record', abstract: true },
    ...times,
    tags,
  },
  resolve: resolveVault,
});

export const keySets = define({
  name: 'key_sets',
  table: 'key_sets',
  path: 'key-sets',
  endpointKey: 'name',
  cacheKey: ['id'],
  fields: { ...id, name: name({ required: false }), tags, ...times },
});

function pemError(parse: (pem: string) => unknown): (value: string) => string | undefined {
  return (value) => {
    try {
      parse(value);
      return undefined;
    } catch {
      return 'could not load key';
    }
  };
}

function jwkError(value: string): string | undefined {
  try {
    return isObject(parseJson(value)) ? undefined : 'could not json decode jwk string';
  } catch {
    return 'could not json decode jwk string';
  }
}

export const keys = define({
  name: 'keys',
  table: 'keys',
  path: 'keys',
  endpointKey: 'name',
  cacheKey: ['kid', 'set'],
  cacheKeyColumn: true,
  fields: {
    ...id,
    set: foreign('key_sets', { required: false, on_delete: 'cascade' }),
    name: name({ required: false }),
    kid: string({ required: true, unique: false }),
    jwk: string({ custom: jwkError, referenceable: true, encrypted: true }),
    pem: record(
      {
        private_key: string({
          required: false,
          custom: pemError(createPrivateKey),
          encrypted: true,
          referenceable: true,
        }),
        public_key: string({ required: false, custom: pemError(createPublicKey), referenceable: true }),
      },
      { required: false, entity_checks: [{ at_least_one_of: ['private_key', 'public_key'] }] },
    ),
    tags,
    ...times,
  },
  entity_checks: [
    { mutually_exclusive: ['pem', 'jwk'] },
    { at_least_one_of: ['pem', 'jwk'] },
    {
      custom_entity_check: { field_sources: ['jwk', 'pem', 'kid'] },
      custom: ({ jwk, kid }) => {
        const key = typeof jwk === 'string' ? parseJson(jwk) : undefined;
        return !isObject(key) || key['kid'] === kid
          ? undefined
          : { '@entity': ['kid in jwk.kid must be equal to keys.kid'] };
      },
    },
  ],
});

/** No filter is known, as on a Kong without WebAssembly filters: a chain can be read, not made. */
export const filterChains = define({
  name: 'filter_chains',
  table: 'filter_chains',
  path: 'filter-chains',
  endpointKey: 'name',
  cacheKey: ['route', 'service'],
  cacheKeyColumn: true,
  fields: {
    ...id,
    name: name(),
    enabled: flag(true),
    route: foreign('routes', { unique: true, default: null, on_delete: 'cascade' }),
    service: foreign('services', { unique: true, default: null, on_delete: 'cascade' }),
    filters: arrayOf(
      record({
        name: string({ required: true, one_of: [], err: 'no such filter' }),
        enabled: flag(true),
        config: { type: 'json', required: false },
      }),
      { required: true, len_min: 1 },
    ),
    ...times,
    tags,
  },
  entity_checks: [{ mutually_exclusive: ['service', 'route'] }, { at_least_one_of: ['service', 'route'] }],
});
