import { isIPv6 } from 'node:net';
import type { Body, Entity, EntityType, Json } from './entities.ts';

type Item = Record<string, Json>;

/** Types that Kong's declarative format nests in the entity they refer to: type → [field, list in the parent]. */
const NESTED: Partial<Record<EntityType, readonly [field: string, list: string]>> = {
  routes: ['service', 'routes'],
  targets: ['upstream', 'targets'],
  snis: ['certificate', 'snis'],
  acls: ['consumer', 'acls'],
  basicauth_credentials: ['consumer', 'basicauth_credentials'],
  hmacauth_credentials: ['consumer', 'hmacauth_credentials'],
  jwt_secrets: ['consumer', 'jwt_secrets'],
  keyauth_credentials: ['consumer', 'keyauth_credentials'],
  oauth2_credentials: ['consumer', 'oauth2_credentials'],
};

/** The id in a reference, or undefined when the value is none. */
function referredId(value: Json | undefined): string | undefined {
  if (typeof value !== 'object' || value === null || !('id' in value)) return undefined;
  return typeof value.id === 'string' ? value.id : undefined;
}

/** Kong keeps IPv6 targets in full; the format has them short. */
function shortTarget(target: string): string {
  const [, address, port] = /^\[(.+)\]:(\d+)$/.exec(target) ?? [];
  if (address === undefined || port === undefined || !isIPv6(address)) return target;
  return `${new URL(`http://[${address}]`).hostname}:${port}`;
}

function itemOf(entity: Entity): Item {
  const item: Item = { id: entity.id, ...entity.body };
  if (entity.tags.length > 0) item['tags'] = [...entity.tags];
  if (entity.type === 'targets') item['target'] = shortTarget(String(item['target']));
  return item;
}

/** The name that the format may use instead of an entity's id. */
function nameOf(entity: Entity): string {
  const { name, username, custom_id: customId } = entity.body;
  const found = [name, username, customId].find((value) => typeof value === 'string');
  return typeof found === 'string' ? found : entity.id;
}

function sortKey(item: Item): string {
  const field = ['name', 'username', 'custom_id', 'target', 'prefix'].find((key) => item[key] !== undefined) ?? 'id';
  return `${JSON.stringify(item[field])} ${JSON.stringify(item['id'])}`;
}

function sorted(items: readonly Item[]): Item[] {
  return items.toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
}

/** References by name, as plugins have them. */
function withNames(body: Body, names: ReadonlyMap<string, string>): Item {
  return Object.fromEntries(
    Object.entries(body).map(([field, value]) => {
      const id = referredId(value);
      return [field, id === undefined ? value : (names.get(id) ?? id)];
    }),
  );
}

/**
 * Entities in Kong's declarative format 3.0: a plain object to be printed as YAML or JSON, loadable by Kong and by decK. Routes,
 * targets, SNIs and credentials stand in what they belong to; plugins name it.
 */
export function toDeclarative(entities: readonly Entity[]): Record<string, Json> {
  const names = new Map(entities.map((entity) => [entity.id, nameOf(entity)]));
  const items = new Map(entities.map((entity) => [entity.id, itemOf(entity)]));
  const top = new Map<string, Item[]>();
  const children = new Map<string, Map<string, Item[]>>();
  for (const entity of entities) {
    const item = items.get(entity.id) ?? {};
    const [field, list] = NESTED[entity.type] ?? [];
    const parent = field === undefined ? undefined : referredId(entity.body[field]);
    if (field !== undefined && list !== undefined && parent !== undefined && items.has(parent)) {
      const { [field]: _parent, ...rest } = item;
      const lists = children.get(parent) ?? new Map<string, Item[]>();
      lists.set(list, [...(lists.get(list) ?? []), rest]);
      children.set(parent, lists);
    } else {
      const named = entity.type === 'plugins' ? withNames(item, names) : item;
      top.set(entity.type, [...(top.get(entity.type) ?? []), named]);
    }
  }
  const document: Record<string, Json> = { _format_version: '3.0' };
  for (const [type, list] of [...top].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    document[type] = sorted(list).map((item) => {
      const lists = children.get(String(item['id'])) ?? new Map<string, Item[]>();
      return { ...item, ...Object.fromEntries([...lists].map(([name, nested]) => [name, sorted(nested)])) };
    });
  }
  return document;
}
