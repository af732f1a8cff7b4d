import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { isRecord, type JsonRecord } from '../../shared/json.ts';
import { kubernetesClient } from '../../shared/kubernetes/client.ts';
import type { ApiRequest } from '../../shared/kubernetes/transport.ts';
import { eventReporter, type EventParts } from '../../shared/report/events.ts';
import { report } from '../../shared/report/report.ts';
import { runSlice, type SliceResult } from '../../shared/slice.ts';
import { stand } from '../infra/kubernetes/stand.ts';
import { configOf, QUICK } from '../kubernetes/fake-api.ts';
import type { ControlPlane } from '../support/control-plane.ts';
import { ingress, plugin, service } from '../support/manifests.ts';
import { usePlanes } from '../support/planes.ts';

const withIngresses = usePlanes();

/** A control plane, and an API server that keeps Events. */
interface Lab {
  readonly plane: ControlPlane;
  readonly parts: EventParts;
  /** Requests about Events, as `METHOD path`. */
  readonly sent: string[];
  /** Events as they are stored. */
  readonly events: () => Promise<readonly JsonRecord[]>;
  /** Works off an object as it is now, and tells of it. */
  readonly work: (object: ReturnType<typeof ingress>) => Promise<SliceResult>;
}

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };

async function tell(parts: EventParts, slices: readonly SliceResult[]): Promise<void> {
  await eventReporter(parts).tell(slices, SILENT);
}

async function withLab(t: TestContext, work: (lab: Lab) => Promise<void>): Promise<void> {
  await withIngresses(0, async (plane) => {
    const api = await stand(t);
    const client = kubernetesClient(configOf(api.url, { token: api.token }), QUICK);
    t.after(() => client.close());
    const sent: string[] = [];
    const parts: EventParts = {
      index: plane.pool,
      cluster: 'default',
      kubernetes: {
        get: plane.cluster.client.get,
        send: (request: ApiRequest) => {
          sent.push(
            `${request.method} ${request.path
              .split('/')
              .slice(4)
              .join('/')
              .replace(/\.[0-9a-f]{16}$/, '')}`,
          );
          return client.send(request);
        },
      },
    };
    const events = async (): Promise<readonly JsonRecord[]> => {
      const { body } = await client.send({ method: 'GET', path: '/apis/events.k8s.io/v1/events' });
      return isRecord(body) && Array.isArray(body['items']) ? body['items'].filter(isRecord) : [];
    };
    await work({
      plane,
      parts,
      sent,
      events,
      work: async (object) => {
        const result = await runSlice({ changes: [plane.cluster.put(object)] }, plane.dependencies);
        await tell(parts, [result]);
        return result;
      },
    });
  });
}

function generation(number: number, rules: readonly string[]): ReturnType<typeof ingress> {
  const { metadata, ...rest } = ingress('web', rules);
  return { ...rest, metadata: { ...metadata, generation: number } };
}

const gone = (number: number): ReturnType<typeof ingress> => generation(number, ['a.test / gone 80']);

function about(events: readonly JsonRecord[]): readonly unknown[] {
  return events.map(({ reason, type, note, series }) => [reason, type, note, isRecord(series) ? series['count'] : 1]);
}

const MISSING = [
  'KongConfigurationTranslationFailed',
  'Warning',
  'ServiceNotFound: backend Service default/gone does not exist. Create the Service or correct the reference.',
];

test('an error of an object is one Event that says what to do, for each generation', (t) =>
  withLab(t, async ({ events, work, plane, sent }) => {
    await work(gone(1));
    const [event] = await events();
    assert.deepEqual(about(await events()), [[...MISSING, 1]]);
    const uid = plane.cluster.get('Ingress/default/web')?.metadata.uid;
    assert.ok(uid !== undefined && isRecord(event?.['regarding']) && isRecord(event['metadata']));
    const { kind, name, namespace, apiVersion } = event['regarding'];
    assert.deepEqual([apiVersion, kind, namespace, name], ['networking.k8s.io/v1', 'Ingress', 'default', 'web']);
    assert.equal(event['regarding']['uid'], uid);
    assert.equal(event['reportingController'], 'konghq.com/kong-ingress-functions');
    await work(gone(1));
    await work(gone(1));
    assert.deepEqual(sent, ['POST namespaces/default/events'], 'what was said just now is only counted');
    await plane.pool.query("UPDATE kong_ingress.events SET told_at = told_at - interval '6 minutes'");
    await work(gone(1));
    assert.deepEqual(about(await events()), [[...MISSING, 4]]);
    await work(gone(2));
    const counts = (await events()).map(({ series }) => (isRecord(series) ? series['count'] : 1));
    assert.deepEqual(new Set(counts), new Set([1, 4]));
  }));

test('who has recovered is told so once; who was never wrong costs nothing', (t) =>
  withLab(t, async ({ events, work, sent, plane, parts }) => {
    let statements = 0;
    const index = { query: () => Promise.reject(new Error(`statement ${(statements += 1)}`)) };
    const well = await runSlice(
      { changes: [plane.cluster.put(generation(1, ['a.test / echo 80']))] },
      plane.dependencies,
    );
    await tell({ ...parts, index }, [well]);
    assert.deepEqual([sent, statements], [[], 0]);
    await work(gone(2));
    await work(generation(3, ['a.test / echo 80']));
    await work(generation(4, ['a.test /more echo 80']));
    const said = about(await events()).slice(1);
    assert.deepEqual(said, [
      ['KongConfigurationSucceeded', 'Normal', 'It is written to Kong again, without errors.', 1],
    ]);
  }));

test("what Kong refuses has KIC's other reason, a warning one of its own", (t) =>
  withLab(t, async ({ events, work, plane }) => {
    plane.cluster.put(plugin('limits', { minute: -1 }));
    const { metadata, ...rest } = ingress('web', ['a.test / echo 80'], {
      annotations: { 'konghq.com/plugins': 'limits', 'konghq.com/strip-path': 'x' },
    });
    await work({ ...rest, metadata });
    const said = (await events()).map(({ reason, note }) => `${String(reason)} ${String(note).split(':')[0]}`);
    assert.deepEqual(
      new Set(said),
      new Set(['KongConfigurationApplyFailed KongRejected', 'KongConfigurationTranslationWarning InvalidAnnotation']),
    );
  }));

test('Events that the cluster has forgotten are made again, and those that the index has forgotten counted', (t) =>
  withLab(t, async ({ events, work, plane, parts }) => {
    await work(gone(1));
    await plane.pool.query('DELETE FROM kong_ingress.events');
    await work(gone(1));
    assert.deepEqual(about(await events()), [[...MISSING, 2]]);
    const path = '/apis/events.k8s.io/v1/namespaces/default/events';
    const [event] = await events();
    assert.ok(isRecord(event?.['metadata']));
    await parts.kubernetes.send({ method: 'DELETE', path: `${path}/${String(event['metadata']['name'])}` });
    await plane.pool.query("UPDATE kong_ingress.events SET told_at = told_at - interval '6 minutes'");
    await work(gone(1));
    assert.deepEqual(about(await events()), [[...MISSING, 1]]);
  }));

test('what is still wrong is said again before the cluster forgets it, and what is right is not', (t) =>
  withLab(t, async ({ events, work, plane, parts }) => {
    let now = Date.now();
    const reporter = eventReporter({ ...parts, now: () => now });
    await work(gone(1));
    await runSlice({ changes: [plane.cluster.put(ingress('well', ['b.test / echo 80']))] }, plane.dependencies);
    const counted = async (): Promise<unknown> => {
      await plane.pool.query("UPDATE kong_ingress.events SET told_at = told_at - interval '6 minutes'");
      await reporter.remind?.();
      return about(await events()).map((event) => (Array.isArray(event) ? event[3] : event));
    };
    assert.deepEqual(await counted(), [2]);
    assert.deepEqual(await counted(), [2], 'not again so soon');
    now += 31 * 60_000;
    assert.deepEqual(await counted(), [3]);
  }));

test('a finding on another object is its Event, if it is still there', (t) =>
  withLab(t, async ({ events, plane, parts }) => {
    const old = service('echo', 80, { 'konghq.com/override': 'x' });
    plane.cluster.put(old);
    const result = await runSlice(
      { changes: [plane.cluster.put(ingress('web', ['a.test / echo 80']))] },
      plane.dependencies,
    );
    assert.deepEqual(
      result.findings.map((finding) => finding.reason),
      ['Deprecated', 'KongIngressNotFound'],
    );
    await tell(parts, [result]);
    assert.deepEqual(
      (await events()).map(({ regarding }) => isRecord(regarding) && [regarding['kind'], typeof regarding['uid']]),
      [
        ['Service', 'string'],
        ['Service', 'string'],
      ],
    );
    await plane.pool.query('DELETE FROM kong_ingress.events');
    plane.cluster.remove('Service', 'default', 'echo');
    let sent = 0;
    const send = (): never => assert.fail(`request ${(sent += 1)}`);
    await tell({ ...parts, kubernetes: { ...parts.kubernetes, send } }, [result]);
  }));

test('an object without a namespace has its Events in default', (t) =>
  withLab(t, async ({ events, plane, parts }) => {
    const vault = {
      apiVersion: 'configuration.konghq.com/v1alpha1',
      kind: 'KongVault',
      metadata: { name: 'hcv', annotations: { 'kubernetes.io/ingress.class': 'kong' } },
      spec: { backend: 'hcv', prefix: 'hcv' },
    };
    await tell(parts, [await runSlice({ changes: [plane.cluster.put(vault)] }, plane.dependencies)]);
    const [event] = await events();
    assert.ok(isRecord(event?.['metadata']) && isRecord(event['regarding']));
    assert.deepEqual([event['metadata']['namespace'], event['regarding']['namespace']], ['default', undefined]);
  }));

test('an API server that does not let us fails nothing, and is asked again the next time', (t) =>
  withLab(t, async ({ plane, parts, events }) => {
    const result = await runSlice({ changes: [plane.cluster.put(gone(1))] }, plane.dependencies);
    const forbidden = {
      status: 403,
      retryAfter: undefined,
      body: { kind: 'Status', reason: 'Forbidden', message: 'no' },
    };
    const closed = eventReporter({ ...parts, kubernetes: { ...parts.kubernetes, send: async () => forbidden } });
    const lines: unknown[] = [];
    const logger = { ...SILENT, error: (...line: readonly unknown[]) => void lines.push(line) };
    const publisher = {
      publishChanges: async () => 0,
      publishReconcileRequests: async () => 0,
      publishOutcome: async () => undefined,
    };
    await report([result], { logger, publisher, reporters: [closed] });
    assert.deepEqual(lines, [
      ['not reported', { reporter: 'events', code: 'EVENTS_NOT_CREATED', reason: '1 of 1 Events: 403 Forbidden: no' }],
    ]);
    await tell(parts, [result]);
    assert.deepEqual(about(await events()).length, 1);
  }));

test('an object with very many errors has ten Events, and a slice with very many objects 200', (t) =>
  withLab(t, async ({ plane, parts, sent }) => {
    const rules = Array.from({ length: 30 }, (_, n) => `h${n}.test / gone-${n} 80`);
    const many = await runSlice({ changes: [plane.cluster.put(ingress('web', rules))] }, plane.dependencies);
    assert.ok(many.findings.length >= 30);
    await tell(parts, [many]);
    assert.equal(sent.length, 10);
    const changes = Array.from({ length: 220 }, (_, n) =>
      plane.cluster.put(ingress(`web-${n}`, [`w${n}.test / gone 80`])),
    );
    const { dependencies } = plane;
    const settings = { ...dependencies.settings, maxRoots: 500 };
    await tell(parts, [await runSlice({ changes }, { ...dependencies, settings })]);
    assert.equal(sent.length, 210);
  }));
