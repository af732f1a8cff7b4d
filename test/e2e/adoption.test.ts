import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test, { after, before } from 'node:test';
import { ENTITIES, type Entity, type EntityType } from '../../shared/kong/entities.ts';
import { collectionPath, entityPath } from '../../shared/kong/paths.ts';
import { ingress } from '../support/manifests.ts';
import { tlsSecret } from '../support/tls.ts';
import { apply, codes, findings, reconcile, remove, served, unseen } from './act.ts';
import { startLab, type Lab } from './lab.ts';
import { backed, foundation, manifests, slice } from './objects.ts';
import { admin, desired, FILTER_TAG, foreign, plantForeign, rows, upstreamOf } from './state.ts';

let lab: Lab;
let theirs: readonly string[];
before(async () => {
  lab = await startLab({ topology: 'traditional' });
  theirs = await plantForeign(lab);
  const objects = [
    ...foundation(lab),
    ...backed(lab, 'other'),
    await tlsSecret('shop-tls', 'shop.test'),
    ingress('shop', ['shop.test / echo 80', 'shop.test /other other 80'], { tlsSecret: 'shop-tls' }),
    ingress('plain', ['plain.test / echo 80'], { annotations: { 'konghq.com/tags': 'red,green' } }),
  ];
  await unseen(lab, objects.length, () => lab.cluster.apply(...manifests(...objects)));
});
after(() => lab.stop());

/** Types whose entities another controller writes under ids that it rolls. */
const ROLLED: ReadonlySet<EntityType> = new Set(['upstreams', 'targets', 'snis']);
const TYPES = ['certificates', 'routes', 'services', 'snis', 'targets', 'upstreams'];

/** Writes entities through the Admin API as another controller would: same names and fields, random ids. */
async function writeAsAnother(entities: readonly Entity[]): Promise<void> {
  const ids = new Map(entities.map(({ type, id }) => [id, ROLLED.has(type) ? randomUUID() : id]));
  const parentsFirst = entities.toSorted((a, b) => ENTITIES[a.type].level - ENTITIES[b.type].level);
  for (const entity of parentsFirst) {
    const id = ids.get(entity.id) ?? entity.id;
    const body = { ...entity.body, id, tags: [...entity.tags, FILTER_TAG] };
    if (entity.type !== 'targets') {
      await admin(lab, 'PUT', entityPath(entity.type, id), body);
      continue;
    }
    const upstreamId = ids.get(upstreamOf(entity) ?? '') ?? '';
    await admin(lab, 'POST', collectionPath('targets', upstreamId), { ...body, upstream: { id: upstreamId } });
  }
}

test('a database that another controller filled is taken over without a single write', async () => {
  const entities = await desired(lab);
  assert.deepEqual([...new Set(entities.map(({ type }) => type))].toSorted(), TYPES);
  await writeAsAnother(entities);
  const [earlier, writes, from] = [await rows(lab), lab.writes.length, lab.log.length];
  await reconcile(lab);
  assert.deepEqual(lab.writes.slice(writes), []);
  assert.deepEqual(await rows(lab), earlier);
  assert.deepEqual([findings(lab, from), codes(lab, from)], [[], []]);
  await served(lab, 'shop.test', 200, '/other');
});

test('what was taken over is followed under the ids that it has', async () => {
  const earlier = await rows(lab);
  await apply(
    lab,
    slice(lab, 'echo', ['127.0.0.1', '127.0.0.2']),
    ingress('plain', ['plain.test /moved echo 80'], { annotations: { 'konghq.com/tags': 'red,green' } }),
  );
  await served(lab, 'plain.test', 200, '/moved');
  const now = await rows(lab);
  const changed = [...earlier].filter(([key, { xmin }]) => now.get(key)?.xmin !== xmin).map(([key]) => key);
  assert.deepEqual(
    changed.map((key) => key.slice(0, key.indexOf('/'))),
    ['routes'],
  );
  assert.equal(now.size, earlier.size + 1);

  await remove(lab, ingress('shop', []), ingress('plain', []));
  await served(lab, 'plain.test', 404, '/moved');
  assert.deepEqual(
    [...(await rows(lab))].filter(([, { managed }]) => managed),
    [],
  );
  assert.deepEqual(await foreign(lab), theirs);
});
