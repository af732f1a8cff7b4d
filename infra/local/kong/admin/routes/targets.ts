import { show } from '../dao/admit.ts';
import type { Dao } from '../dao/dao.ts';
import { notFound } from '../dao/kong-error.ts';
import type { Definition } from '../entities/definition.ts';
import { created, NO_CONTENT, ok } from '../http/types.ts';
import type { AdminRequest, Endpoint, Reply } from '../http/types.ts';
import { isList, isObject, text } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { sent } from './entities.ts';
import { belongsTo, existing, list } from './lookup.ts';

/** `/upstreams/{upstreams}/targets`: there is no collection of all targets, and only POST creates one (Kong 3.9). */
export function targetEndpoints(dao: Dao, upstreams: Definition, targets: Definition, nodeId: string): Endpoint[] {
  const collection = '/upstreams/{upstreams}/targets';
  const targetOf = async (upstreamKey: string, key: string): Promise<JsonObject> => {
    const upstream = await existing(dao, upstreams, upstreamKey);
    const id = text(upstream['id']);
    const found = (await dao.store.all(targets, { column: 'upstream_id', value: id })).find(
      (target) => target['id'] === key.toLowerCase() || target['target'] === key || target['target'] === `${key}:8000`,
    );
    if (found === undefined || !belongsTo(found, 'upstream', upstream)) throw notFound();
    return found;
  };
  // PUT changes what it is given and leaves the rest, exactly as PATCH.
  const change = async (request: AdminRequest, upstream = '', key = ''): Promise<Reply> =>
    ok(await dao.patch(targets, await targetOf(upstream, key), sent(dao, targets, request)));
  const all = async (request: AdminRequest, key = ''): Promise<Reply> => {
    const upstream = await existing(dao, upstreams, key);
    return list(dao, targets, request, { column: 'upstream_id', value: text(upstream['id']) });
  };
  return [
    {
      path: collection,
      methods: {
        GET: all,
        POST: async (request, key = '') => {
          const upstream = await existing(dao, upstreams, key);
          const body = { ...sent(dao, targets, request), upstream: { id: text(upstream['id']) } };
          return created(await dao.create(targets, body));
        },
      },
    },
    { path: `${collection}/all`, methods: { GET: all } },
    {
      path: `${collection}/{targets}`,
      methods: {
        GET: async (_request, upstream = '', key = '') =>
          ok(show(targets, dao.registry, await targetOf(upstream, key))),
        PUT: change,
        PATCH: change,
        DELETE: async (_request, upstream = '', key = '') => {
          await dao.remove(targets, await targetOf(upstream, key));
          return NO_CONTENT;
        },
      },
    },
    {
      path: '/upstreams/{upstreams}/health',
      methods: { GET: async (request, key = '') => health(await all(request, key), nodeId) },
    },
  ];
}

/** No health check ever runs in the stand-in. */
function health({ status, body }: Reply, nodeId: string): Reply {
  if (!isObject(body) || !isList(body['data'])) return { status, body: body ?? null };
  const data = body['data'].flatMap((target) => (isObject(target) ? [{ ...target, health: 'HEALTHCHECKS_OFF' }] : []));
  return { status, body: { ...body, data, node_id: nodeId } };
}
