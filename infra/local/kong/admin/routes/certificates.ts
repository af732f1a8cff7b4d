import { show } from '../dao/admit.ts';
import type { Dao } from '../dao/dao.ts';
import { entityNotFound, schemaViolation } from '../dao/kong-error.ts';
import type { Definition } from '../entities/definition.ts';
import { created, NO_CONTENT, ok } from '../http/types.ts';
import type { Endpoint } from '../http/types.ts';
import { foreignId, isList, text } from '../json.ts';
import type { Json, JsonObject } from '../json.ts';
import { sent } from './entities.ts';
import { existing, list, lookup } from './lookup.ts';

/**
 * `/certificates` with its pseudo field `snis`, which Kong keeps as entities of their own (Kong 3.9): a PUT without it
 * removes them all, a PATCH without it leaves them, and a DELETE removes them first, even if it is refused afterwards.
 */
export function certificateEndpoints(dao: Dao, certificates: Definition, snis: Definition): Endpoint[] {
  const names = serverNames(dao, snis);
  const withSnis = async (certificate: JsonObject): Promise<JsonObject> => ({
    ...certificate,
    snis: (await names.of(certificate)).map((sni) => text(sni['name'])),
  });
  return [
    {
      path: '/certificates',
      methods: {
        GET: (request) => list(dao, certificates, request, undefined, withSnis),
        POST: async (request) => {
          const body = sent(dao, certificates, request);
          await names.assertFree(body['snis'], undefined);
          const certificate = await dao.create(certificates, body);
          await names.set(certificate, body['snis']);
          return created(await withSnis(certificate));
        },
      },
    },
    {
      path: '/certificates/{certificates}',
      methods: {
        GET: async (_request, key = '') =>
          ok(await withSnis(show(certificates, dao.registry, await existing(dao, certificates, key)))),
        PUT: async (request, key = '') => {
          const body = sent(dao, certificates, request);
          const current = await lookup(dao, certificates, key);
          const id = current === undefined ? key : text(current['id']);
          await names.assertFree(body['snis'], id);
          const certificate = await dao.put(certificates, id, body);
          await names.set(certificate, body['snis'] ?? []);
          return ok(await withSnis(certificate));
        },
        PATCH: async (request, key = '') => {
          const body = sent(dao, certificates, request);
          const current = await lookup(dao, certificates, key);
          if (current === undefined) throw entityNotFound({ id: key });
          await names.assertFree(body['snis'], text(current['id']));
          const certificate = await dao.patch(certificates, current, body);
          if (body['snis'] !== undefined) await names.set(certificate, body['snis']);
          return ok(await withSnis(certificate));
        },
        DELETE: async (_request, key = '') => {
          const current = await lookup(dao, certificates, key);
          if (current === undefined) return NO_CONTENT;
          await names.set(current, []);
          await dao.remove(certificates, current);
          return NO_CONTENT;
        },
      },
    },
  ];
}

interface ServerNames {
  of(certificate: JsonObject): Promise<readonly JsonObject[]>;
  /** Throws KongError 2 when another certificate has one of the names. */
  assertFree(wanted: Json | undefined, certificateId: string | undefined): Promise<void>;
  /** Makes the certificate's server names exactly these. */
  set(certificate: JsonObject, wanted: Json | undefined): Promise<void>;
}

function serverNames(dao: Dao, snis: Definition): ServerNames {
  const of = async (certificate: JsonObject): Promise<readonly JsonObject[]> => {
    const found = await dao.store.all(snis, { column: 'certificate_id', value: text(certificate['id']) });
    return found.toSorted((a, b) => (text(a['name']) < text(b['name']) ? -1 : 1));
  };
  return {
    of,
    async assertFree(wanted, certificateId) {
      for (const name of strings(wanted)) {
        const taken = await dao.find(snis, name);
        const owner = foreignId(taken?.['certificate']);
        if (taken === undefined || owner === certificateId) continue;
        throw schemaViolation({ snis: `${name} already associated with existing certificate '${owner}'` });
      }
    },
    async set(certificate, wanted) {
      const names = strings(wanted);
      const current = await of(certificate);
      for (const name of names) {
        if (current.some((sni) => sni['name'] === name)) continue;
        await dao.create(snis, { name, certificate: { id: text(certificate['id']) } });
      }
      for (const sni of current) if (!names.includes(text(sni['name']))) await dao.remove(snis, sni);
    },
  };
}

function strings(value: Json | undefined): readonly string[] {
  return isList(value) ? [...new Set(value.filter((item) => typeof item === 'string'))] : [];
}
