import { show } from '../dao/admit.ts';
import type { Dao } from '../dao/dao.ts';
import { entityNotFound, notFound } from '../dao/kong-error.ts';
import type { Where } from '../dao/store.ts';
import { nestedPath, references } from '../entities/definition.ts';
import type { Definition } from '../entities/definition.ts';
import { coerce } from '../http/body.ts';
import { created, NO_CONTENT, ok } from '../http/types.ts';
import type { AdminRequest, Endpoint } from '../http/types.ts';
import { foreignId, text } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { isUuid } from '../schema/validators.ts';
import { belongsTo, existing, list, lookup } from './lookup.ts';

/** The fields of a request in the types of the schema. JSON has them already, forms have texts only. */
export function sent(dao: Dao, definition: Definition, { body, form }: AdminRequest): JsonObject {
  if (!form) return body;
  const resolved = definition.resolve?.(body, dao.registry.context);
  return coerce(resolved !== undefined && 'schema' in resolved ? resolved.schema.fields : definition.fields, body);
}

/** `/services` and `/services/{services}`. */
export function entityEndpoints(dao: Dao, definition: Definition): Endpoint[] {
  const { path, name } = definition;
  if (path === undefined) return [];
  return [
    {
      path: `/${path}`,
      methods: {
        GET: (request) => list(dao, definition, request, filterOf(definition, request)),
        POST: async (request) => created(await dao.create(definition, sent(dao, definition, request))),
      },
    },
    {
      path: `/${path}/{${name}}`,
      methods: {
        GET: async (_request, key = '') => ok(show(definition, dao.registry, await existing(dao, definition, key))),
        PUT: async (request, key = '') => ok(await dao.put(definition, key, sent(dao, definition, request))),
        PATCH: async (request, key = '') => {
          const current = await lookup(dao, definition, key);
          if (current === undefined) throw entityNotFound(missingKey(definition, key));
          return ok(await dao.patch(definition, current, sent(dao, definition, request)));
        },
        DELETE: async (_request, key = '') => {
          const current = await lookup(dao, definition, key);
          if (current !== undefined) await dao.remove(definition, current);
          return NO_CONTENT;
        },
      },
    },
  ];
}

/** Consumers can be looked for by their `custom_id`; Kong ignores any other argument. */
function filterOf({ name }: Definition, { query }: AdminRequest): Where | undefined {
  const value = name === 'consumers' ? query.get('custom_id') : null;
  return value === null ? undefined : { column: 'custom_id', value };
}

function missingKey(definition: Definition, key: string): JsonObject {
  return isUuid(key) ? { id: key } : { [definition.endpointKey ?? 'id']: key };
}

/** `/services/{services}/routes` and `/services/{services}/routes/{routes}`. */
export function childEndpoints(dao: Dao, parent: Definition, child: Definition, field: string): Endpoint[] {
  if (parent.path === undefined || child.name === 'targets') return [];
  const collection = `/${parent.path}/{${parent.name}}/${nestedPath(child)}`;
  const childOf = async (parentKey: string, key: string): Promise<JsonObject> => {
    const owner = await existing(dao, parent, parentKey);
    const found = await lookup(dao, child, key);
    if (found === undefined || !belongsTo(found, field, owner)) throw notFound();
    return found;
  };
  const owned = async (request: AdminRequest, parentKey: string): Promise<JsonObject> => {
    const owner = await existing(dao, parent, parentKey);
    return { ...sent(dao, child, request), [field]: { id: text(owner['id']) } };
  };
  return [
    {
      path: collection,
      methods: {
        GET: async (request, key = '') => {
          const owner = await existing(dao, parent, key);
          return list(dao, child, request, { column: `${field}_id`, value: text(owner['id']) });
        },
        POST: async (request, key = '') => created(await dao.create(child, await owned(request, key))),
      },
    },
    {
      path: `${collection}/{${child.name}}`,
      methods: {
        GET: async (_request, key = '', name = '') => ok(show(child, dao.registry, await childOf(key, name))),
        PUT: async (request, key = '', name = '') => ok(await dao.put(child, name, await owned(request, key))),
        PATCH: async (request, key = '', name = '') =>
          ok(await dao.patch(child, await childOf(key, name), sent(dao, child, request))),
        DELETE: async (_request, key = '', name = '') => {
          const owner = await existing(dao, parent, key);
          const found = await lookup(dao, child, name);
          if (found !== undefined && belongsTo(found, field, owner)) await dao.remove(child, found);
          return NO_CONTENT;
        },
      },
    },
  ];
}

/** `/routes/{routes}/service`: what a foreign field refers to. */
export function parentEndpoints(dao: Dao, definition: Definition): Endpoint[] {
  return references(definition).flatMap(([field, schema]) => {
    const parent = dao.registry.get(schema);
    if (definition.path === undefined || parent === undefined) return [];
    const parentOf = async (key: string): Promise<JsonObject> => {
      const entity = await existing(dao, definition, key);
      const id = foreignId(entity[field]);
      const found = id === '' ? undefined : await dao.find(parent, id);
      if (found === undefined) throw notFound();
      return found;
    };
    return [
      {
        path: `/${definition.path}/{${definition.name}}/${field}`,
        methods: {
          GET: async (_request, key = '') => ok(show(parent, dao.registry, await parentOf(key))),
          PUT: async (request, key = '') =>
            ok(await dao.put(parent, text((await parentOf(key))['id']), sent(dao, parent, request))),
          PATCH: async (request, key = '') =>
            ok(await dao.patch(parent, await parentOf(key), sent(dao, parent, request))),
        },
      },
    ];
  });
}
