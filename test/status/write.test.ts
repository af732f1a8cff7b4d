import assert from 'node:assert/strict';
import test from 'node:test';
import { AppError } from '../../shared/errors.ts';
import { reported } from '../../shared/report/report.ts';
import { statusReporter } from '../../shared/report/statuses.ts';
import { runSlice, type SliceResult } from '../../shared/slice.ts';
import { statusConfig } from '../../shared/status/config.ts';
import type { KubernetesObject } from '../../shared/kubernetes/resources.ts';
import type { ControlPlane } from '../support/control-plane.ts';
import { consumer, ingress } from '../support/manifests.ts';
import { usePlanes } from '../support/planes.ts';
import { conditionsOf, CONFIG, convergedOf } from './lab.ts';
import { memoryStatuses } from './memory.ts';

const withIngresses = usePlanes();

type Client = ReturnType<typeof memoryStatuses>['client'];

interface Bench {
  readonly plane: ControlPlane;
  readonly client: Client;
  readonly log: string[];
  /** What comes before each write of a status, and may answer for it. */
  before: () => Awaited<ReturnType<Client['patchStatus']>> | undefined;
  slice(object?: KubernetesObject): Promise<SliceResult>;
  tell(...slices: readonly SliceResult[]): Promise<void>;
  converge(): Promise<void>;
  conditions(): readonly string[];
  /** Attempts to write a status. */
  attempts(): number;
  rows(): Promise<readonly { readonly object: string; readonly dirty: boolean }[]>;
}

/** A control plane whose cluster has one KongConsumer, `ann`. */
function bench(work: (bench: Bench) => Promise<void>): Promise<void> {
  return withIngresses(0, async (plane) => {
    const { client: inner, put } = memoryStatuses(plane.cluster);
    const log: string[] = [];
    let attempts = 0;
    const client: Client = {
      ...inner,
      get requests() {
        return inner.requests;
      },
      patchStatus: async (patch) => {
        attempts += 1;
        return own.before() ?? inner.patchStatus(patch);
      },
    };
    const reporter = statusReporter({
      index: plane.pool,
      kubernetes: client,
      config: { ...CONFIG, service: undefined, addresses: ['10.0.0.1'] },
    });
    const note = (...parts: readonly unknown[]): void => void log.push(JSON.stringify(parts));
    const logger = { info: note, warn: note, error: note };
    const own: Bench = {
      plane,
      client,
      log,
      before: () => undefined,
      slice: (object = consumer('ann')) =>
        runSlice({ changes: [put(object)] }, { ...plane.dependencies, kubernetes: client }),
      tell: (...slices) => reported('statuses', logger, () => reporter.tell(slices, logger)),
      converge: async () => {
        const result = await convergedOf(plane.pool);
        await reported('statuses', logger, () => reporter.converged(result, logger));
      },
      conditions: () => {
        const object: object | undefined = plane.cluster.get('KongConsumer/default/ann');
        return object !== undefined && 'status' in object ? conditionsOf(object.status) : [];
      },
      attempts: () => attempts,
      rows: async () => {
        const { rows } = await plane.pool.query<{ object: string; dirty: boolean }>(
          'SELECT object, dirty FROM kong_ingress.statuses ORDER BY object',
        );
        return rows;
      },
    };
    await work(own);
  });
}

const PENDING = ['Programmed=False/Pending'];
const ON = ['Programmed=True/Programmed'];

test('a conflict is written again, on what is there then', () =>
  bench(async (own) => {
    let conflicts = 2;
    own.before = () => ((conflicts -= 1) >= 0 ? { outcome: 'conflict' } : undefined);
    await own.tell(await own.slice());
    assert.equal(own.attempts(), 3);
    assert.deepEqual(own.conditions(), PENDING);
    assert.deepEqual(await own.rows(), [{ object: 'KongConsumer/default/ann', dirty: false }]);
  }));

test('what stays in conflict is left to the next convergence', () =>
  bench(async (own) => {
    own.before = () => ({ outcome: 'conflict' });
    await own.tell(await own.slice());
    assert.deepEqual(await own.rows(), [{ object: 'KongConsumer/default/ann', dirty: true }]);
    own.before = () => undefined;
    await own.converge();
    assert.deepEqual(own.conditions(), ON);
  }));

test('an object that is gone meanwhile is forgotten', () =>
  bench(async (own) => {
    const slice = await own.slice();
    own.plane.cluster.remove('KongConsumer', 'default', 'ann');
    await own.tell(slice);
    assert.deepEqual(await own.rows(), []);
    assert.deepEqual(own.log, []);
  }));

test('a status that the API server does not take is a warning, once', () =>
  bench(async (own) => {
    own.before = () => ({ outcome: 'invalid', reason: '422 Invalid: status.conditions' });
    await own.tell(await own.slice());
    assert.match(own.log.join(), /does not take a status.*KongConsumer\/default\/ann.*422/);
    const attempts = own.attempts();
    await own.tell(await own.slice());
    assert.equal(own.attempts(), attempts);
    assert.equal(own.log.length, 1);
  }));

test('without the right to write statuses one error says so, the slice stays, and nothing is lost', () =>
  bench(async (own) => {
    own.before = () => {
      throw new AppError('KUBERNETES_FORBIDDEN', 'PATCH …/status: 403 Forbidden');
    };
    const slice = await own.slice();
    assert.ok(slice.applied.length > 0);
    await own.tell(slice);
    assert.equal(own.log.length, 1);
    assert.match(own.log.join(), /not reported.*statuses.*KUBERNETES_FORBIDDEN/);
    own.before = () => undefined;
    await own.converge();
    assert.deepEqual(own.conditions(), ON);
  }));

test('an Ingress that was made anew in between is another one, and told anew', () =>
  bench(async (own) => {
    const status = (): unknown => {
      const object: object | undefined = own.plane.cluster.get('Ingress/default/web');
      return object !== undefined && 'status' in object ? object.status : undefined;
    };
    const expected = { loadBalancer: { ingress: [{ ip: '10.0.0.1' }] } };
    for (const round of ['first', 'second']) {
      await own.tell(await own.slice(ingress('web', ['web.test / echo 80'])));
      assert.equal(status(), undefined, round);
      await own.converge();
      assert.deepEqual(status(), expected, round);
      own.plane.cluster.remove('Ingress', 'default', 'web');
    }
  }));

test('a run that died before it told is made good by the next convergence', () =>
  bench(async (own) => {
    await own.slice();
    assert.deepEqual(own.conditions(), []);
    await own.converge();
    assert.deepEqual(own.conditions(), ON);
  }));

test('a run that died after it wrote does not write again', () =>
  bench(async (own) => {
    await own.tell(await own.slice());
    await own.plane.pool.query('UPDATE kong_ingress.statuses SET dirty = true, reported = NULL');
    const attempts = own.attempts();
    await own.tell();
    await own.converge();
    assert.equal(own.attempts(), attempts + 1, 'only what the convergence changed');
    await own.plane.pool.query('UPDATE kong_ingress.statuses SET dirty = true, reported = NULL');
    await own.converge();
    assert.equal(own.attempts(), attempts + 1);
  }));

const SETTINGS = [
  { env: {}, expected: { enabled: true, service: undefined, addresses: [] } },
  { env: { UPDATE_STATUS: 'false' }, expected: { enabled: false } },
  { env: { PUBLISH_SERVICE: 'kong/proxy' }, expected: { service: 'kong/proxy' } },
  { env: { PUBLISH_STATUS_ADDRESS: '10.0.0.1, lb.test' }, expected: { addresses: ['10.0.0.1', 'lb.test'] } },
];

for (const { env, expected } of SETTINGS) {
  test(`settings ${JSON.stringify(env)}`, () => assert.partialDeepStrictEqual(statusConfig(env), expected));
}

for (const env of [{ PUBLISH_SERVICE: 'proxy' }, { PUBLISH_SERVICE_UDP: 'a/b/c' }, { UPDATE_STATUS: 'maybe' }]) {
  test(`settings ${JSON.stringify(env)} are refused`, () =>
    assert.throws(() => statusConfig(env), { name: 'AppError', code: 'CONFIG_INVALID' }));
}
