import { randomUUID } from 'node:crypto';
import { isRecord, type JsonRecord } from '../../shared/json.ts';
import type { AdminClient } from '../../shared/kong/admin.ts';
import { ENTITIES, type Body, type Entity, type EntityType, type Json } from '../../shared/kong/entities.ts';

/** Lists that stand in what they belong to: list → the field that refers to it. */
const CHILDREN: { readonly [T in EntityType]?: readonly [parent: EntityType, field: string] } = {
  routes: ['services', 'service'],
  targets: ['upstreams', 'upstream'],
  snis: ['certificates', 'certificate'],
  acls: ['consumers', 'consumer'],
  basicauth_credentials: ['consumers', 'consumer'],
  hmacauth_credentials: ['consumers', 'consumer'],
  jwt_secrets: ['consumers', 'consumer'],
  keyauth_credentials: ['consumers', 'consumer'],
  oauth2_credentials: ['consumers', 'consumer'],
  mtls_auth_credentials: ['consumers', 'consumer'],
};

/** Types for which Kong Ingress Controller has no stable ids (KIC §3): every run of it draws others. */
const ROLLED: ReadonlySet<EntityType> = new Set([
  'upstreams',
  'targets',
  'snis',
  'acls',
  'basicauth_credentials',
  'hmacauth_credentials',
  'jwt_secrets',
  'keyauth_credentials',
  'oauth2_credentials',
  'mtls_auth_credentials',
]);

function isType(name: string): name is EntityType {
  return Object.hasOwn(ENTITIES, name);
}

function isJson(value: unknown): value is Json {
  if (Array.isArray(value)) return value.every(isJson);
  if (isRecord(value)) return Object.values(value).every(isJson);
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}

interface Found {
  readonly type: EntityType;
  readonly id: string;
  readonly fields: JsonRecord;
}

function records(value: unknown): readonly JsonRecord[] {
  if (!Array.isArray(value)) return [];
  return value.map((item: unknown) => (typeof item === 'string' ? { name: item } : item)).filter(isRecord);
}

/** An item and what stands in it. */
function unfold(type: EntityType, item: JsonRecord, parent: JsonRecord = {}): readonly Found[] {
  const given = typeof item['id'] === 'string' && !ROLLED.has(type) ? item['id'] : randomUUID();
  const nested: Found[] = [];
  const fields: Record<string, unknown> = { ...parent };
  for (const [name, value] of Object.entries(item)) {
    const [of, field = ''] = isType(name) ? (CHILDREN[name] ?? []) : [];
    if (isType(name) && of === type && Array.isArray(value)) {
      nested.push(...records(value).flatMap((child) => unfold(name, child, { [field]: { id: given } })));
    } else if (name === 'plugins' && Array.isArray(value)) {
      const own = type.replace(/s$/, '');
      nested.push(...records(value).flatMap((child) => unfold('plugins', child, { [own]: { id: given } })));
    } else if (name === 'groups' && type === 'consumers') {
      nested.push(
        ...records(value).flatMap((group) =>
          unfold('consumer_group_consumers', { consumer_group: group['name'], consumer: { id: given } }),
        ),
      );
    } else if (name !== 'id') fields[name] = value;
  }
  return [{ type, id: given, fields }, ...nested];
}

/** Names and ids that references may use, by type. */
function names(found: readonly Found[]): ReadonlyMap<string, string> {
  return new Map(
    found.flatMap(({ type, id, fields }) =>
      [id, fields['id'], fields['name'], fields['username'], fields['custom_id']].flatMap((name) =>
        typeof name === 'string' ? [[`${type}/${name}`, id] as const] : [],
      ),
    ),
  );
}

const REFERENCES: ReadonlyMap<string, EntityType> = new Map([
  ['consumer_group', 'consumer_groups'],
  ...Object.values(ENTITIES).flatMap(({ references }) => Object.entries(references)),
]);

function resolved(field: string, value: unknown, known: ReadonlyMap<string, string>): unknown {
  const type = REFERENCES.get(field);
  if (type === undefined) return value;
  const name = isRecord(value) ? (value['id'] ?? value['name']) : value;
  return typeof name === 'string' ? { id: known.get(`${type}/${name}`) ?? name } : value;
}

/**
 * The entities of a document in Kong's declarative format, as decK would write them: names become ids, what has no
 * stable id gets a random one, and everything carries the filter tags.
 */
export function fromDeclarative(document: unknown, filterTags: readonly string[]): readonly Entity[] {
  if (!isRecord(document)) return [];
  const found = Object.entries(document).flatMap(([type, items]) =>
    isType(type) ? records(items).flatMap((item) => unfold(type, item)) : [],
  );
  const known = names(found);
  return found.map(({ type, id, fields }) => {
    const { tags, ...rest } = fields;
    const body: Record<string, Json> = {};
    for (const [field, value] of Object.entries(rest)) {
      const json = resolved(field, value, known);
      if (isJson(json)) body[field] = json;
    }
    const own = Array.isArray(tags) ? tags.map(String) : [];
    return { type, id, body, tags: [...new Set([...own, ...filterTags])] };
  });
}

function parentOf(body: Body): string {
  const parent = body['upstream'];
  return isRecord(parent) && typeof parent['id'] === 'string' ? parent['id'] : '';
}

/** Writes entities through the Admin API, parents first. Gives what Kong says of those that it refuses. */
export async function loadEntities(admin: AdminClient, entities: readonly Entity[]): Promise<readonly string[]> {
  const refused: string[] = [];
  const ordered = entities.toSorted((a, b) => ENTITIES[a.type].level - ENTITIES[b.type].level);
  for (const { type, id, body, tags } of ordered) {
    const whole = { ...body, tags };
    const written =
      type === 'targets'
        ? await admin.createTarget(parentOf(body), { ...whole, id })
        : await admin.put(type, id, whole);
    if (!written.ok) refused.push(`${type} ${id}: ${written.rejection.message}`);
  }
  return refused;
}
