import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { indexSchema } from '../../shared/index/schema.ts';
import { isRecord } from '../../shared/json.ts';
import type { KubernetesObject } from '../../shared/kubernetes/resources.ts';
import { ENTITIES, type Entity } from '../../shared/kong/entities.ts';
import { entityPath } from '../../shared/kong/paths.ts';
import { translateAll } from '../../shared/translate/offline.ts';
import { OPTIONS } from '../support/control-plane.ts';
import type { Lab } from './lab.ts';

export const FILTER_TAG = 'managed-by-ingress-controller';

/** A row of one of Kong's tables. */
export interface Row {
  readonly xmin: string;
  /** Has the filter tag. */
  readonly managed: boolean;
}

/** All rows of Kong's entities, `type/id` → row. */
export async function rows(lab: Lab): Promise<ReadonlyMap<string, Row>> {
  const tables = await lab.pool.query<{ name: string }>(
    "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'",
  );
  const present = new Set(tables.rows.map((row) => row.name));
  const found = new Map<string, Row>();
  for (const [type, { table }] of Object.entries(ENTITIES)) {
    if (!present.has(table)) continue;
    const result = await lab.pool.query<{ id: string } & Row>(
      `SELECT id::text AS id, xmin::text AS xmin,
         coalesce(to_jsonb(t) -> 'tags' @> to_jsonb($1::text), false) AS managed FROM ${table} AS t`,
      [FILTER_TAG],
    );
    for (const { id, xmin, managed } of result.rows) found.set(`${type}/${id}`, { xmin, managed });
  }
  return found;
}

/** What is not ours: `type/id xmin`, in order. */
export async function foreign(lab: Lab): Promise<readonly string[]> {
  const all = [...(await rows(lab))].filter(([, row]) => !row.managed);
  return all.map(([key, { xmin }]) => `${key} ${xmin}`).toSorted();
}

/** Sends one request to the Admin API; gives its answer's body. Fails on an answer that is no success. */
export async function admin(
  lab: Lab,
  method: string,
  path: string,
  body?: object,
): Promise<Readonly<Record<string, unknown>>> {
  const response = await fetch(`${lab.stack.kong.adminUrls[0]}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path} answered ${response.status} ${text}`);
  const parsed: unknown = text === '' ? {} : JSON.parse(text);
  assert.ok(isRecord(parsed));
  return parsed;
}

/** One entity of every type that lies in the way, none with the filter tag. Gives the rows, as `foreign` does. */
export async function plantForeign(lab: Lab): Promise<readonly string[]> {
  await admin(lab, 'POST', '/services', { name: 'theirs', host: 'theirs.example', tags: ['team-a'] });
  await admin(lab, 'POST', '/services/theirs/routes', { name: 'theirs', hosts: ['theirs.example'] });
  await admin(lab, 'POST', '/routes/theirs/plugins', { name: 'key-auth' });
  await admin(lab, 'POST', '/upstreams', { name: 'theirs' });
  await admin(lab, 'POST', '/upstreams/theirs/targets', { target: '10.9.9.9:80' });
  await admin(lab, 'POST', '/consumers', { username: 'theirs' });
  await admin(lab, 'POST', '/consumers/theirs/key-auth', { key: 'theirs' });
  const planted = await foreign(lab);
  assert.equal(planted.length, 7);
  return planted;
}

/** What these objects become, without filter tags. */
export async function translated(objects: readonly KubernetesObject[]): Promise<readonly Entity[]> {
  return (await translateAll(objects, { ...OPTIONS, cluster: 'local' })).entities;
}

/** The kinds that the tests' clusters have. */
const KINDS = ['IngressClass', 'Ingress', 'Service', 'EndpointSlice', 'Secret'] as const;

/** What all objects of the cluster become together. */
export async function desired(lab: Lab): Promise<readonly Entity[]> {
  const lists = await Promise.all(KINDS.map((kind) => lab.kubernetes.list(kind, { namespace: '' })));
  return translated(lists.flatMap(({ objects }) => objects));
}

/** Whether an answer of Kong has these fields; what Kong adds by default does not count. */
function holds(wanted: unknown, actual: unknown): boolean {
  if (!isRecord(wanted) || !isRecord(actual)) return isDeepStrictEqual(wanted, actual);
  return Object.entries(wanted).every(([field, value]) => holds(value, actual[field]));
}

/** The id of the upstream that a target belongs to. */
export function upstreamOf(entity: Entity): string | undefined {
  const { upstream } = entity.body;
  return isRecord(upstream) && typeof upstream['id'] === 'string' ? upstream['id'] : undefined;
}

async function entityOf(lab: Lab, entity: Entity): Promise<Readonly<Record<string, unknown>>> {
  if (entity.type !== 'targets') return admin(lab, 'GET', entityPath(entity.type, entity.id));
  const { data } = await admin(lab, 'GET', `/upstreams/${upstreamOf(entity)}/targets`);
  const found = Array.isArray(data) ? data.filter(isRecord).find((target) => target['id'] === entity.id) : undefined;
  return found ?? {};
}

/** Kong has exactly what a translation of the whole cluster at once asks for, id by id and field by field. */
export async function assertDesired(lab: Lab, message = 'desired state'): Promise<void> {
  const entities = await desired(lab);
  const managed = [...(await rows(lab))].filter(([, row]) => row.managed).map(([key]) => key);
  const wantedKeys = entities.map(({ type, id }) => `${type}/${id}`);
  const unequal = {
    missing: wantedKeys.filter((key) => !managed.includes(key)),
    superfluous: managed.filter((key) => !wantedKeys.includes(key)),
  };
  assert.deepEqual(unequal, { missing: [], superfluous: [] }, message);
  for (const entity of entities) {
    const actual = await entityOf(lab, entity);
    const wanted = { ...entity.body, tags: [...entity.tags, FILTER_TAG].toSorted() };
    const tags = Array.isArray(actual['tags']) ? actual['tags'].map(String).toSorted() : [];
    assert.ok(holds(wanted, { ...actual, tags }), `${message}: ${entity.type} ${JSON.stringify([wanted, actual])}`);
  }
  const { rows: intents } = await lab.pool.query(`SELECT * FROM ${indexSchema('local', '')}.intents`);
  assert.deepEqual(intents, [], `${message}: intents`);
}
