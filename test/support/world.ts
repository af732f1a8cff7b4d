import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import pg from 'pg';
import { parseManifests } from '../../shared/cli/files.ts';
import type { ChangeEvent } from '../../shared/events.ts';
import { keyOf, objectKey, type Key } from '../../shared/kubernetes/keys.ts';
import { isGone } from '../../shared/kubernetes/object.ts';
import type { KubernetesObject } from '../../shared/kubernetes/resources.ts';
import { snapshotLookup } from '../../shared/kubernetes/snapshot.ts';
import { resolve } from '../../shared/plan/resolve.ts';
import { reconcile, type ReconcileReport, type ReconcileTools } from '../../shared/reconcile.ts';
import type { SliceDependencies } from '../../shared/slice.ts';
import { isRoot, translateRoot } from '../../shared/translate/index.ts';
import type { Proposal, TranslateOptions } from '../../shared/translate/types.ts';
import { goldenCases } from '../golden/cases.ts';
import { memoryCluster, type MemoryCluster } from './cluster.ts';
import { contentText, memoryKong, type MemoryKong } from './memory-kong.ts';
import type { TemporaryPostgres } from './postgres.ts';

const FILTER_TAGS = ['managed-by-ingress-controller'];

/** A cluster and a Kong in memory, and an index in PostgreSQL: many cases in a short time, of every kind. */
export interface World {
  readonly cluster: MemoryCluster;
  readonly kong: MemoryKong;
  readonly pool: pg.Pool;
  /** Of the index's database. */
  readonly url: string;
  dependencies(options: TranslateOptions): SliceDependencies;
  /** Forgets everything. */
  clear(): Promise<void>;
  heal(dependencies: SliceDependencies): Promise<ReconcileReport>;
  /** What Kong refused may be tried again, as when its pause is over. */
  endPauses(): Promise<void>;
  /** Kong holds what a full translation asks for, field by field, beside what is not ours; nothing is left unfinished. */
  assertFull(options: TranslateOptions, message?: string): Promise<void>;
  stop(): Promise<void>;
}

async function fullContent(
  objects: readonly KubernetesObject[],
  options: TranslateOptions,
): Promise<ReadonlyMap<string, string>> {
  const lookup = snapshotLookup(objects);
  const proposals: Proposal[] = [];
  for (const object of objects) {
    if (!isRoot(object) || isGone(object)) continue;
    proposals.push(...(await translateRoot(object, lookup, options)).proposals);
  }
  const { desired } = resolve(proposals, { filterTags: FILTER_TAGS });
  return new Map(
    desired.map(({ entity }) => [
      `${entity.type}/${entity.id}`,
      contentText({ ...entity.body, tags: [...entity.tags] }),
    ]),
  );
}

/** Starts one on a database of its own. */
export async function startWorld(server: TemporaryPostgres, name: string): Promise<World> {
  const connectionString = await server.createDatabase(name);
  const [pool, kongPool] = [new pg.Pool({ connectionString, max: 4 }), new pg.Pool({ connectionString, max: 2 })];
  for (const one of [pool, kongPool]) one.on('error', () => undefined);
  await pool.query('CREATE TABLE workspaces (id uuid, name text)');
  const [cluster, kong] = [memoryCluster(), memoryKong(FILTER_TAGS)];
  const listAll: ReconcileTools['list'] = async () => ({ objects: cluster.objects(), requests: 1 });
  const foreign = (content: string): boolean => !content.includes(FILTER_TAGS[0] ?? '');
  return {
    cluster,
    kong,
    pool,
    url: connectionString,
    dependencies: (options) => ({
      statePool: pool,
      kongPool,
      kong: { filterTags: FILTER_TAGS, workspace: '', adminConcurrency: 10 },
      admin: kong.admin,
      actual: kong.actual,
      kubernetes: cluster.client,
      options,
      settings: { lockWaitMs: 10_000, maxRoots: 200 },
    }),
    clear: async () => {
      for (const { kind, metadata } of cluster.objects()) cluster.remove(kind, metadata.namespace ?? '', metadata.name);
      kong.clear();
      const { rows } = await pool.query<{ name: string }>(
        "SELECT 'kong_ingress.' || tablename AS name FROM pg_tables WHERE schemaname = 'kong_ingress' AND tablename <> 'migrations'",
      );
      if (rows.length > 0) await pool.query(rows.map((row) => `DELETE FROM ${row.name}`).join('; '));
    },
    heal: (dependencies) => {
      return reconcile({ dependencies, list: listAll, remainingMs: () => 60_000, force: true });
    },
    endPauses: async () => {
      await pool.query('UPDATE kong_ingress.quarantine SET retry_at = now()');
    },
    assertFull: async (options, message) => {
      const wanted = await fullContent(cluster.objects(), options);
      const found = [...kong.content()].filter(([, content]) => !foreign(content));
      assert.deepEqual(
        found.toSorted(([a], [b]) => (a < b ? -1 : 1)),
        [...wanted].toSorted(([a], [b]) => (a < b ? -1 : 1)),
        message,
      );
      const { rows } = await pool.query('SELECT * FROM kong_ingress.intents');
      assert.deepEqual(rows, [], message);
    },
    stop: async () => {
      await pool.end();
      await kongPool.end();
    },
  };
}

/** Objects that belong together, from the golden cases, and the options that they are translated with. */
export interface Scene {
  readonly name: string;
  readonly objects: readonly KubernetesObject[];
  readonly options: TranslateOptions;
}

/** Every golden case as a scene. */
export function scenes(): readonly Scene[] {
  return goldenCases().map(({ name, input, options }) => ({
    name,
    options: { ...options, cluster: 'default' },
    objects: parseManifests(readFileSync(input, 'utf8'), 'in.yaml', options.raw).objects,
  }));
}

/** Scenes in one cluster, with the first one's options; of objects with one name the last scene's counts. */
export function merged(first: Scene, ...others: readonly Scene[]): Scene {
  const all = [first, ...others];
  const objects = new Map(all.flatMap((scene) => scene.objects.map((object) => [keyOf(object), object] as const)));
  return { ...first, name: all.map(({ name }) => name).join(' + '), objects: [...objects.values()] };
}

/** Changes one object of a scene, or undoes it. */
export interface Act {
  readonly object: KubernetesObject;
  readonly how: 'remove' | 'put' | 'rename' | 'bare' | 'unlabelled' | 'annotated' | 'swap' | 'cut';
  /** Which of several ways. */
  readonly way: number;
}

const ANNOTATIONS: readonly Readonly<Record<string, string>>[] = [
  { 'konghq.com/plugins': 'a' },
  { 'konghq.com/read-timeout': '1234' },
  { 'kubernetes.io/ingress.class': 'other' },
  { 'ingress.kubernetes.io/service-upstream': 'true' },
  { 'konghq.com/tags': 'red,green' },
  { 'konghq.com/protocols': 'https' },
];

/** A copy of an object with one of its top-level fields taken away, or with that of another one of its kind. */
function reshaped(object: KubernetesObject, other: KubernetesObject | undefined, way: number): KubernetesObject {
  const { apiVersion, kind, metadata, ...fields } = object;
  const entries = Object.entries(fields);
  const left = other === undefined ? entries.filter((_, place) => place !== way % Math.max(1, entries.length)) : [];
  const { apiVersion: _version, kind: _kind, metadata: _metadata, ...borrowed } = other ?? object;
  return { apiVersion, kind, metadata, ...(other === undefined ? Object.fromEntries(left) : borrowed) };
}

/** Plays an act; gives the events that a sender would publish. */
export function play(cluster: MemoryCluster, scene: Scene, { object, how, way }: Act): readonly ChangeEvent[] {
  const { kind, metadata } = object;
  const namespace = metadata.namespace ?? '';
  const removed = (name: string): readonly ChangeEvent[] =>
    cluster.get(objectKey(kind, namespace, name)) === undefined ? [] : [cluster.remove(kind, namespace, name)];
  const put = (changed: Partial<KubernetesObject['metadata']>): ChangeEvent =>
    cluster.put({ ...object, metadata: { ...metadata, ...changed } });
  const renamed = `${metadata.name}-b`;
  switch (how) {
    case 'remove':
      return [...removed(metadata.name), ...removed(renamed)];
    case 'put':
      return [cluster.put(object)];
    case 'rename':
      return [...removed(metadata.name), put({ name: renamed })];
    case 'bare':
      return [put({ annotations: {} })];
    case 'unlabelled':
      return [put({ labels: {} })];
    case 'annotated':
      return [put({ annotations: { ...metadata.annotations, ...ANNOTATIONS[way % ANNOTATIONS.length] } })];
    case 'swap': {
      const others = scene.objects.filter((other) => other.kind === kind);
      return [cluster.put(reshaped(object, others[way % others.length], way))];
    }
    default:
      return [cluster.put(reshaped(object, undefined, way))];
  }
}

/** Acts on a scene; most leave it whole. */
export function acts(scene: Scene): fc.Arbitrary<Act> {
  return fc.record({
    object: fc.constantFrom(...scene.objects),
    how: fc.constantFrom<Act['how']>(
      'remove',
      'remove',
      'put',
      'put',
      'put',
      'rename',
      'bare',
      'unlabelled',
      'annotated',
      'swap',
      'cut',
    ),
    way: fc.nat(11),
  });
}

/** An act in a few words. */
export function told({ object, how, way }: Act): string {
  return `${how} ${way} ${keyOf(object)}`;
}

/** The kinds of a scene's objects. */
export function kindsOf(scene: Scene): ReadonlySet<Key> {
  return new Set(scene.objects.map(({ kind }) => kind));
}
