import type { Definition } from '../entities/definition.ts';
import { foreignId, isList, text } from '../json.ts';
import type { Json, JsonObject } from '../json.ts';
import { isUuid } from '../schema/validators.ts';
import { admitChange, admitNew, show } from './admit.ts';
import type { Admission } from './admit.ts';
import { primaryKeyViolation, referencedByOthers, schemaViolation } from './kong-error.ts';
import type { Page, Where } from './store.ts';
import type { PageRequest } from './paging.ts';

export type Operation = 'create' | 'update' | 'delete';

/** A committed write, with the entity as it is and as it was. */
export interface Write {
  readonly definition: Definition;
  readonly operation: Operation;
  readonly entity: JsonObject;
  readonly before: JsonObject | undefined;
}

/** Entities with Kong's rules, whatever the schema. */
export interface Dao extends Admission {
  /** By id, or by the field that may stand in a path (a name, a prefix, a key). */
  find(definition: Definition, key: string): Promise<JsonObject | undefined>;
  page(definition: Definition, request: PageRequest, where?: Where): Promise<Page>;
  create(definition: Definition, sent: JsonObject): Promise<JsonObject>;
  /** PUT: replaces or creates; the key in the path wins over the body. */
  put(definition: Definition, key: string, sent: JsonObject): Promise<JsonObject>;
  patch(definition: Definition, current: JsonObject, sent: JsonObject): Promise<JsonObject>;
  /** With what refers to it by cascade. Throws KongError 4 while something else refers to it. */
  remove(definition: Definition, current: JsonObject): Promise<void>;
}

export function createDao(admission: Admission, written: (write: Write) => void): Dao {
  const { registry, store } = admission;

  const find = async (definition: Definition, key: string): Promise<JsonObject | undefined> => {
    if (isUuid(key)) return store.first(definition, { column: 'id', value: key.toLowerCase() });
    const { endpointKey } = definition;
    return endpointKey === undefined ? undefined : store.first(definition, { column: endpointKey, value: key });
  };

  const save = async (
    definition: Definition,
    entity: JsonObject,
    before: JsonObject | undefined,
  ): Promise<JsonObject> => {
    await checkProtocols(admission, definition, entity);
    const saved = await store.upsert(definition, entity);
    written({ definition, operation: before === undefined ? 'create' : 'update', entity: saved, before });
    return show(definition, registry, saved);
  };

  return {
    ...admission,
    async find(definition, key) {
      return find(definition, key);
    },
    page: (definition, request, where) => store.page(definition, request, where),
    async create(definition, sent) {
      const entity = await admitNew(admission, definition, sent);
      await checkProtocols(admission, definition, entity);
      const saved = await store.insert(definition, entity);
      written({ definition, operation: 'create', entity: saved, before: undefined });
      return show(definition, registry, saved);
    },
    async put(definition, key, sent) {
      const before = await find(definition, key);
      const entity = await admitNew(admission, definition, { ...sent, ...pathFields(definition, key, before) });
      if (before === undefined && !isUuid(key) && (await store.first(definition, byId(entity))) !== undefined) {
        throw primaryKeyViolation(text(entity['id']));
      }
      return save(definition, entity, before);
    },
    async patch(definition, current, sent) {
      const { id } = current;
      const entity = await admitChange(admission, definition, current, { ...sent, id: id ?? null });
      return save(definition, entity, current);
    },
    async remove(definition, current) {
      if (definition.name === 'ca_certificates') await assertUnused(admission, current);
      const cascaded = await descendants(admission, definition, current);
      if (!(await store.remove(definition, text(current['id'])))) return;
      const gone = [{ definition, entity: current }, ...cascaded];
      for (const { definition: of, entity } of gone)
        written({ definition: of, operation: 'delete', entity, before: entity });
    },
  };
}

function byId(entity: JsonObject): Where {
  return { column: 'id', value: text(entity['id']) };
}

function pathFields(definition: Definition, key: string, before: JsonObject | undefined): JsonObject {
  if (isUuid(key)) return { id: key.toLowerCase() };
  const named = definition.endpointKey === undefined ? {} : { [definition.endpointKey]: key };
  return before === undefined ? named : { ...named, id: before['id'] ?? null };
}

interface Gone {
  readonly definition: Definition;
  readonly entity: JsonObject;
}

/** What PostgreSQL will delete along with an entity. */
async function descendants(
  { registry, store }: Admission,
  definition: Definition,
  entity: JsonObject,
): Promise<Gone[]> {
  const found: Gone[] = [];
  for (const { definition: child, field, cascade } of registry.children(definition.name)) {
    if (!cascade) continue;
    const rows = await store.all(child, { column: `${field}_id`, value: text(entity['id']) });
    found.push(...rows.map((row) => ({ definition: child, entity: row })));
  }
  return found;
}

/** Services name CA certificates in a list, which no foreign key protects. */
async function assertUnused({ registry, store }: Admission, caCertificate: JsonObject): Promise<void> {
  const services = registry.get('services');
  const id = text(caCertificate['id']);
  if (services === undefined) return;
  const user = await store.first(services, { column: 'ca_certificates', value: id, element: true });
  if (user === undefined) return;
  throw referencedByOthers(`ca certificate ${id} is still referenced by services (id = ${text(user['id'])})`);
}

/** A plugin must be able to run for at least one protocol of the route, or of a route of the service. */
async function checkProtocols(
  { registry, store }: Admission,
  definition: Definition,
  entity: JsonObject,
): Promise<void> {
  const routes = registry.get('routes');
  if (definition.name !== 'plugins' || routes === undefined) return;
  const route = foreignId(entity['route']);
  const service = foreignId(entity['service']);
  if (route !== '') {
    const found = await store.first(routes, { column: 'id', value: route });
    if (found !== undefined && !overlap(entity['protocols'], found['protocols'])) {
      throw schemaViolation({ protocols: `must match the associated route's protocols` });
    }
  } else if (service !== '') {
    const found = await store.all(routes, { column: 'service_id', value: service });
    if (found.length > 0 && !found.some(({ protocols }) => overlap(entity['protocols'], protocols))) {
      throw schemaViolation({ protocols: 'must match the protocols of at least one route pointing to this service' });
    }
  }
}

function overlap(a: Json | undefined, b: Json | undefined): boolean {
  return isList(a) && isList(b) && a.some((item) => b.includes(item));
}
