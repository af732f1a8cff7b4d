import type { Dao } from '../dao/dao.ts';
import { notFound } from '../dao/kong-error.ts';
import { pageRequest } from '../dao/paging.ts';
import type { Where } from '../dao/store.ts';
import { show } from '../dao/admit.ts';
import type { Definition } from '../entities/definition.ts';
import { targetAddress } from '../entities/upstreams.ts';
import type { AdminRequest, Reply } from '../http/types.ts';
import { ok } from '../http/types.ts';
import { foreignId, text } from '../json.ts';
import type { JsonObject } from '../json.ts';

/** The entity that a path names: certificates also by server name, targets also by an address without its port. */
export async function lookup(dao: Dao, definition: Definition, key: string): Promise<JsonObject | undefined> {
  const found = await dao.find(definition, definition.name === 'targets' ? (targetAddress(key) ?? key) : key);
  if (found !== undefined || definition.name !== 'certificates') return found;
  const snis = dao.registry.get('snis');
  const sni = snis === undefined ? undefined : await dao.find(snis, key);
  return sni === undefined ? undefined : dao.find(definition, foreignId(sni['certificate']));
}

/** As `lookup`; throws 404 when it is not there. */
export async function existing(dao: Dao, definition: Definition, key: string): Promise<JsonObject> {
  const found = await lookup(dao, definition, key);
  if (found === undefined) throw notFound();
  return found;
}

export function belongsTo(entity: JsonObject, field: string, parent: JsonObject): boolean {
  return foreignId(entity[field]) === text(parent['id']);
}

/** A page of entities with the relative address of the next one. `decorate` adds what is not in the row. */
export async function list(
  dao: Dao,
  definition: Definition,
  request: AdminRequest,
  where?: Where,
  decorate: (entity: JsonObject) => Promise<JsonObject> = async (entity) => entity,
): Promise<Reply> {
  const asked = pageRequest(request.query);
  const { entities, offset } = await dao.page(definition, asked, where);
  const data: JsonObject[] = [];
  for (const entity of entities) data.push(await decorate(show(definition, dao.registry, entity)));
  if (offset === undefined) return ok({ data, next: null });
  return ok({ data, offset, next: nextPage(request, offset) });
}

/** Kong repeats size and tags of the request, in this order, and nothing else. */
export function nextPage(request: AdminRequest, offset: string): string {
  const tags = request.query.get('tags');
  const size = request.query.get('size');
  const rest = [
    `offset=${encodeURIComponent(offset)}`,
    ...(tags === null ? [] : [`tags=${encodeURIComponent(tags)}`]),
    ...(size === null ? [] : [`size=${size}`]),
  ];
  return `${request.path}?${rest.join('&')}`;
}
