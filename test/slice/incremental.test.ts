import test, { after, before } from 'node:test';
import fc from 'fast-check';
import { parseJson, isRecord } from '../../shared/json.ts';
import type { ChangeEvent } from '../../shared/events.ts';
import { refOf } from '../../shared/findings.ts';
import type { KubernetesObject } from '../../shared/kubernetes/resources.ts';
import { reconcile } from '../../shared/reconcile.ts';
import { prepareIndex, runSlice, type SliceDependencies } from '../../shared/slice.ts';
import type { Proposal } from '../../shared/translate/types.ts';
import { cases } from '../support/cases.ts';
import { controlPlane, OPTIONS, type ControlPlane } from '../support/control-plane.ts';
import { consumer, endpoints, ingress, INGRESS_CLASS, plugin, service } from '../support/manifests.ts';
import { assertConverged } from '../support/oracle.ts';
import { temporaryPostgres, type TemporaryPostgres } from '../support/postgres.ts';

const RUNS = cases(15);

let server: TemporaryPostgres;
let plane: ControlPlane;
before(async () => {
  server = await temporaryPostgres();
  plane = await controlPlane(server, 'incremental');
  await prepareIndex(plane.pool);
});
after(async () => {
  await plane.stop();
  await server.stop();
});

async function listAll(): Promise<{ objects: readonly KubernetesObject[]; requests: number }> {
  return { objects: plane.cluster.objects(), requests: 1 };
}

async function heal(dependencies: SliceDependencies): Promise<void> {
  await reconcile({ dependencies, list: listAll, remainingMs: () => 60_000, force: true });
}

async function empty(dependencies: SliceDependencies): Promise<void> {
  for (const { kind, metadata } of plane.cluster.objects()) {
    plane.cluster.remove(kind, metadata.namespace ?? '', metadata.name);
  }
  await heal(dependencies);
}

/** What the network does to an event. */
type Fate = 'once' | 'twice' | 'late' | 'lost';

interface Step {
  /** Changes the cluster; undefined when there was nothing to change. */
  readonly act: (cluster: ControlPlane['cluster']) => ChangeEvent | undefined;
  readonly fate: Fate;
}

/** Plays steps and delivers their events; true when one was lost. */
async function play(steps: readonly Step[], dependencies: SliceDependencies): Promise<boolean> {
  const late: ChangeEvent[] = [];
  let lost = false;
  for (const { act, fate } of steps) {
    const change = act(plane.cluster);
    if (change === undefined) continue;
    if (fate === 'lost') lost = true;
    else if (fate === 'late') late.unshift(change);
    else await runSlice({ changes: fate === 'twice' ? [change, change] : [change] }, dependencies);
  }
  for (const change of late) await runSlice({ changes: [change] }, dependencies);
  return lost;
}

const fates = fc.constantFrom<Fate>('once', 'once', 'twice', 'late', 'lost');

/** An act that says in a counterexample what it does. */
function shown(what: unknown, act: Step['act']): Step['act'] {
  return Object.assign(act, { [fc.toStringMethod]: () => JSON.stringify(what) });
}

function remove(kind: string, name: string): Step['act'] {
  return shown(['remove', kind, name], (cluster) => {
    const there = cluster.get(`${kind}/default/${name}`);
    return there === undefined ? undefined : cluster.remove(kind, 'default', name);
  });
}

function put(object: KubernetesObject): Step['act'] {
  return shown(object, (cluster) => cluster.put(object));
}

const names = fc.constantFrom('a', 'b', 'c');
const services = fc.constantFrom('echo', 'other');
const ages = fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z');

const annotated = fc.constantFrom<Readonly<Record<string, string>>[]>(
  {},
  {},
  { 'konghq.com/plugins': 'p' },
  { 'konghq.com/plugins': 'q' },
  { 'konghq.com/plugins': 'p,q' },
);

const acts: fc.Arbitrary<Step['act']> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .record({
        name: names,
        rules: fc.uniqueArray(
          fc
            .record({ host: fc.constantFrom('x.test', 'y.test'), path: fc.constantFrom('/', '/p'), backend: services })
            .map(({ host, path, backend }) => `${host} ${path} ${backend} 80`),
          { maxLength: 3 },
        ),
        backend: fc.option(services, { nil: undefined }),
        createdAt: ages,
        className: fc.constantFrom('kong', 'kong', 'kong', 'nginx'),
        plugins: annotated,
      })
      .map(({ name, rules, backend, createdAt, className, plugins }) =>
        put(
          ingress(name, rules, {
            createdAt,
            className,
            annotations: plugins,
            ...(backend === undefined ? {} : { defaultBackend: { service: backend, port: 80 } }),
          }),
        ),
      ),
  },
  { weight: 1, arbitrary: names.map((name) => remove('Ingress', name)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        services,
        fc.constantFrom<Readonly<Record<string, string>>[]>({}, { 'konghq.com/read-timeout': '1000' }),
        annotated,
      )
      .map(([name, annotations, plugins]) => put(service(name, 80, { ...annotations, ...plugins }))),
  },
  { weight: 1, arbitrary: services.map((name) => remove('Service', name)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(services, fc.subarray(['10.0.0.1', '10.0.0.2', '10.0.0.3']))
      .map(([name, addresses]) => put(endpoints(name, addresses))),
  },
  { weight: 1, arbitrary: fc.constant(put(INGRESS_CLASS)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom('p', 'q'), fc.integer({ min: 1, max: 2 }))
      .map(([name, minute]) => put(plugin(name, { minute }))),
  },
  { weight: 1, arbitrary: fc.constantFrom('p', 'q').map((name) => remove('KongPlugin', name)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom('ann', 'bob'), fc.constantFrom(undefined, 'p', 'q', 'p,q'))
      .map(([name, plugins]) => put(consumer(name, plugins))),
  },
  { weight: 1, arbitrary: fc.constantFrom('ann', 'bob').map((name) => remove('KongConsumer', name)) },
);

const steps = fc.array(fc.record({ act: acts, fate: fates }), { minLength: 3, maxLength: 12 });

test('slices equal a full translation when no event is lost, and with a reconcile when some are', async (context) => {
  const report = await fc.check(
    fc.asyncProperty(steps, async (played) => {
      await empty(plane.dependencies);
      plane.cluster.put(INGRESS_CLASS);
      const lost = await play(played, plane.dependencies);
      if (lost) await heal(plane.dependencies);
      await assertConverged(plane);
      const rows = await plane.rows();
      await heal(plane.dependencies);
      if (JSON.stringify([...(await plane.rows())]) !== JSON.stringify([...rows]))
        throw new Error('a second run wrote');
    }),
    { numRuns: RUNS },
  );
  context.diagnostic(`${report.numRuns} sequences, seed ${report.seed}`);
  if (report.failed) throw new Error(fc.defaultReportMessage(report), { cause: report.errorInstance });
});

interface Wish {
  readonly type: 'services' | 'routes';
  readonly name: string;
  readonly variant: number;
  readonly rank: number;
  readonly parent?: string;
  readonly own?: boolean;
  readonly gate?: boolean;
}

function isWish(value: unknown): value is Wish {
  return isRecord(value) && (value.type === 'services' || value.type === 'routes') && typeof value.name === 'string';
}

function uuid(text: string): string {
  return `00000000-0000-4000-8000-${Buffer.from(text.padEnd(6, '-')).toString('hex').slice(0, 12)}`;
}

/** Proposals that the object names itself, so that slots, gates and parents are contested in every way. */
async function wished(object: KubernetesObject): Promise<{ proposals: readonly Proposal[]; findings: [] }> {
  const parsed = parseJson(object.metadata.annotations?.['test/wishes'] ?? '[]');
  const wishes = Array.isArray(parsed) ? parsed.filter(isWish) : [];
  const proposals = wishes.map(({ type, name, variant, rank, parent, own, gate }): Proposal => {
    const body = type === 'services' ? { name, host: 'h', retries: variant } : { name, paths: [`/${variant}`] };
    return {
      slot: `${type}/${name}`,
      type,
      id: uuid(`${type.charAt(0)}${name}`),
      body,
      tags: [],
      refs:
        parent === undefined || type === 'services'
          ? {}
          : { service: own === true ? { slot: `services/${parent}`, own: true } : { slot: `services/${parent}` } },
      root: refOf(OPTIONS.cluster, object),
      rank: { class: rank, createdAt: object.metadata.creationTimestamp ?? '', name: object.metadata.name },
      ...(gate === true ? { gate: 'routes/elected' } : {}),
    };
  });
  return { proposals: [...new Map(proposals.map((item) => [item.slot, item])).values()], findings: [] };
}

const wish: fc.Arbitrary<Wish> = fc.oneof(
  fc.record({
    type: fc.constant('services' as const),
    name: fc.constantFrom('s', 't'),
    variant: fc.integer({ min: 1, max: 2 }),
    rank: fc.integer({ min: 0, max: 1 }),
    gate: fc.boolean(),
  }),
  fc.record({
    type: fc.constant('routes' as const),
    name: fc.constantFrom('q', 'r', 'elected'),
    variant: fc.integer({ min: 1, max: 2 }),
    rank: fc.integer({ min: 0, max: 1 }),
    parent: fc.constantFrom('s', 't', 'u'),
    own: fc.boolean(),
  }),
);

const wishers: fc.Arbitrary<Step['act']> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.array(wish, { maxLength: 4 }), ages)
      .map(([name, wishes, createdAt]): Step['act'] =>
        Object.assign(
          (cluster: ControlPlane['cluster']) =>
            cluster.put(ingress(name, [], { createdAt, annotations: { 'test/wishes': JSON.stringify(wishes) } })),
          { [fc.toStringMethod]: () => JSON.stringify({ name, createdAt, wishes }) },
        ),
      ),
  },
  { weight: 1, arbitrary: fc.constantFrom('a', 'b', 'c', 'd').map((name) => remove('Ingress', name)) },
);

test('contested slots, gates and parents end as a full election ends', async (context) => {
  const dependencies = { ...plane.dependencies, translate: wished };
  const asked = { ...plane, dependencies };
  const report = await fc.check(
    fc.asyncProperty(
      fc.array(fc.record({ act: wishers, fate: fates }), { minLength: 3, maxLength: 14 }),
      async (played) => {
        await empty(dependencies);
        const lost = await play(played, dependencies);
        if (lost) await heal(dependencies);
        await assertConverged(asked);
      },
    ),
    { numRuns: RUNS * 2 },
  );
  context.diagnostic(`${report.numRuns} sequences, seed ${report.seed}`);
  if (report.failed) throw new Error(fc.defaultReportMessage(report), { cause: report.errorInstance });
});
