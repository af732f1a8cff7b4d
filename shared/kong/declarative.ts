import { isIPv6 } from 'node:net';
import type { Entity, EntityType, Json } from './entities.ts';

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
  mtls_auth_credentials: ['consumer', 'mtls_auth_credentials'],
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
  const { target } = item;
  if (entity.type === 'targets' && typeof target === 'string') item['target'] = shortTarget(target);
  return item;
}

/** The name that the format may use instead of an entity's id. */
function nameOf(entity: Entity): string {
  const { name, username } = entity.body;
  const found = [name, username].find((value) => typeof value === 'string');
  return typeof found === 'string' ? found : entity.id;
}

function sortKey(item: Item): string {
  const field = ['name', 'username', 'custom_id', 'target', 'prefix'].find((key) => item[key] !== undefined) ?? 'id';
  return `${JSON.stringify(item[field])} ${JSON.stringify(item['id'] ?? item)}`;
}

function sorted(items: readonly Item[]): Item[] {
  return items.toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
}

/** References by name, as plugins and memberships have them. */
function withNames(item: Item, names: ReadonlyMap<string, string>): Item {
  return Object.fromEntries(
    Object.entries(item).map(([field, value]) => {
      const id = referredId(value);
      return [field, id === undefined ? value : (names.get(id) ?? id)];
    }),
  );
}

/** Types whose entities have no name and no id that another tool would know: only their fields are printed. */
const ANONYMOUS: ReadonlySet<EntityType> = new Set([
  'consumer_group_consumers',
  'degraphql_routes',
  'graphql_ratelimiting_advanced_cost_decoration',
]);

function anonymous({ id: _id, ...fields }: Item): Item {
  return Object.fromEntries(Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** An item of a list of its own. */
function topItem(entity: Entity, names: ReadonlyMap<string, string>): Item {
  const item = itemOf(entity);
  const named = entity.type === 'plugins' || entity.type === 'consumer_group_consumers' ? withNames(item, names) : item;
  return ANONYMOUS.has(entity.type) ? anonymous(named) : named;
}

function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

/**
 * Entities in Kong's declarative format 3.0: a plain object to be printed as YAML or JSON, loadable by Kong and by decK. Routes,
 * targets, SNIs and credentials stand in what they belong to; plugins name it.
 */
export function toDeclarative(entities: readonly Entity[]): Record<string, Json> {
  const names = new Map(entities.map((entity) => [entity.id, nameOf(entity)]));
  const top = new Map<string, (readonly [id: string, item: Item])[]>();
  const nested = new Map<string, Item[]>();
  for (const entity of entities) {
    const [field, list] = NESTED[entity.type] ?? [];
    const parent = field === undefined ? undefined : referredId(entity.body[field]);
    if (field === undefined || list === undefined || parent === undefined || !names.has(parent)) {
      append(top, entity.type, [entity.id, topItem(entity, names)]);
    } else {
      const { [field]: _parent, ...rest } = itemOf(entity);
      append(nested, `${parent} ${list}`, rest);
    }
  }
  const lists = [...new Set(Object.values(NESTED).map(([, list]) => list))].toSorted();
  const document: Record<string, Json> = { _format_version: '3.0' };
  for (const [type, found] of [...top].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const whole = found.map(([id, item]): Item => {
      const children = lists.flatMap((list) => {
        const items = nested.get(`${id} ${list}`);
        return items === undefined ? [] : [[list, sorted(items)] as const];
      });
      return { ...item, ...Object.fromEntries(children) };
    });
    document[type] = sorted(whole);
  }
  return document;
}
