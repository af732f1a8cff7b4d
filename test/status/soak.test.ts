import assert from 'node:assert/strict';
import test from 'node:test';
import type { JsonRecord } from '../../shared/json.ts';
import { recordBaseline } from '../../shared/convergence/revisions.ts';
import { migrate } from '../../shared/index/index.ts';
import { reconcile } from '../../shared/reconcile.ts';
import { statusReporter } from '../../shared/report/statuses.ts';
import { prepareIndex, runSlice } from '../../shared/slice.ts';
import type { ChangeEvent } from '../../shared/events.ts';
import { controlPlane } from '../support/control-plane.ts';
import { temporaryPostgres } from '../support/postgres.ts';
import { CONFIG, convergedOf, manifestsOf } from './lab.ts';
import { CLASS, gateway, ingress, NAMESPACES, route, service } from './manifests.ts';
import { memoryStatuses } from './memory.ts';

const CHANGES = Number(process.env['SOAK_CHANGES'] ?? 1_000);
/** Changes that one slice works off. */
const BATCH = 10;
/** Changes between two looks at whether everything is at rest. */
const EVERY = 100;

/** Small, fast, and the same for the same seed. */
function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const FOUNDATION = `${NAMESPACES}${CLASS}
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: { name: kong }
spec: { controller: ingress-controllers.konghq.com/kong }
---
${service('proxy')}${service('echo')}${service('other')}
${gateway('edge', '{ name: http, protocol: HTTP, port: 80 }', '{ name: odd, protocol: HTTP, port: 81, hostname: "*.odd.test" }')}`;

function plugin(name: string, minute: number): string {
  return `
apiVersion: configuration.konghq.com/v1
kind: KongPlugin
metadata: { name: ${name}, namespace: statuses-a }
plugin: rate-limiting
config: { minute: ${minute}, policy: local }
`;
}

function consumer(name: string, username: string): string {
  return `
apiVersion: configuration.konghq.com/v1
kind: KongConsumer
metadata: { name: ${name}, namespace: statuses-a, annotations: { kubernetes.io/ingress.class: kong } }
username: ${username}
`;
}

function endpoints(of: string, last: number): string {
  return `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: ${of}-a, namespace: statuses-a, labels: { kubernetes.io/service-name: ${of} } }
addressType: IPv4
endpoints: [{ addresses: [10.1.0.${last}], conditions: { ready: true } }]
ports: [{ name: http, port: 8080, protocol: TCP }]
`;
}

function httpRoute(name: string, pick: (below: number) => number): string {
  const section = ['http', 'odd', 'absent'][pick(3)];
  const backend = ['echo', 'other', 'absent'][pick(3)];
  const host = ['a.odd.test', 'b.test'][pick(2)];
  const annotations = pick(2) === 0 ? '' : `, annotations: { konghq.com/plugins: plugin-${pick(2)} }`;
  const spec = `  parentRefs: [{ name: edge, sectionName: ${section} }]
  hostnames: [${host}]
  rules: [{ matches: [{ path: { type: PathPrefix, value: /${pick(3)} } }], backendRefs: [{ name: ${backend}, port: 80 }] }]`;
  return route('HTTPRoute', name, spec).replace('namespace: statuses-a }', `namespace: statuses-a${annotations} }`);
}

/** A random change: manifests to apply, or an object to delete. */
type Change = { readonly apply: string } | { readonly remove: string };

function changeOf(pick: (below: number) => number): Change {
  const n = pick(4);
  switch (pick(7)) {
    case 0:
      return { apply: ingress(`web-${n}`, `${['a', 'b'][pick(2)]}${n}.test`, ['echo', 'other'][pick(2)]) };
    case 1:
    case 2:
      return { apply: httpRoute(`route-${n}`, pick) };
    case 3:
      return { apply: plugin(`plugin-${pick(2)}`, 1 + pick(3)) };
    case 4:
      return { apply: consumer(`user-${n}`, `user-${n}-${pick(2)}`) };
    case 5:
      return { apply: endpoints(['echo', 'other'][pick(2)] ?? 'echo', 1 + pick(3)) };
    default:
      return { remove: [`HTTPRoute/statuses-a/route-${n}`, `Ingress/statuses-a/web-${n}`][pick(2)] ?? '' };
  }
}

/** A status without what is the same in every write of the same content. */
function content(status: JsonRecord): string {
  return JSON.stringify(status, (field, value: unknown) =>
    field === 'lastTransitionTime' || (field === 'message' && typeof value === 'string' && value.includes('revision'))
      ? undefined
      : value,
  );
}

test(`${CHANGES} random changes: every write of a status changes its content`, async (context) => {
  const server = await temporaryPostgres();
  const plane = await controlPlane(server, 'soak');
  context.after(async () => {
    await plane.stop();
    await server.stop();
  });
  await prepareIndex(plane.pool);
  const { client, put, remove, writes } = memoryStatuses(plane.cluster);
  const warnings: unknown[] = [];
  const log = (...parts: readonly unknown[]): void => void warnings.push(parts);
  const logger = { info: log, warn: log, error: log };
  const reporter = statusReporter({
    index: plane.pool,
    kubernetes: client,
    config: { ...CONFIG, service: 'statuses-a/proxy' },
  });
  const work = async (changes: readonly ChangeEvent[]): Promise<void> => {
    const result = await runSlice({ changes }, { ...plane.dependencies, kubernetes: client });
    await reporter.tell([result], logger);
  };
  const converge = async (): Promise<void> => reporter.converged(await convergedOf(plane.pool), logger);
  await work(manifestsOf(FOUNDATION).map(put));
  const pick = random(20_260_601);
  const act = (change: Change): readonly ChangeEvent[] =>
    'apply' in change ? manifestsOf(change.apply).map(put) : remove(change.remove);
  for (let done = 0; done < CHANGES; done += BATCH) {
    await work(Array.from({ length: BATCH }, () => changeOf(pick)).flatMap(act));
    if (pick(3) > 0) await converge();
    if (done % EVERY !== 0) continue;
    await converge();
    // Whoever asks again, and every further convergence, writes nothing.
    const settled = writes.length;
    await work(plane.cluster.objects().map(put));
    await converge();
    assert.equal(writes.length, settled);
  }
  await converge();
  // Without the index everything is found out anew, and every status says already what it has to.
  const before = writes.length;
  await plane.pool.query('DROP SCHEMA kong_ingress CASCADE');
  await migrate(plane.pool);
  const list = async () => ({ objects: plane.cluster.objects(), requests: 1 });
  const dependencies = { ...plane.dependencies, kubernetes: client };
  const { slices } = await reconcile({ dependencies, list, remainingMs: () => 60_000, force: false });
  assert.ok(slices.length > 0 && slices.every(({ applied }) => applied.length === 0));
  await reporter.tell(slices, logger);
  await recordBaseline(plane.pool, { now: Date.now(), snapshotXmax: '1' });
  await converge();
  assert.deepEqual(writes.slice(before), []);
  const last = new Map<string, string>();
  for (const { uid, status } of writes) {
    const text = content(status);
    assert.notEqual(text, last.get(uid), `written without a change of its content: ${text}`);
    last.set(uid, text);
  }
  assert.ok(last.size > 15 && writes.length > CHANGES / 10, `${writes.length} writes to ${last.size} objects`);
  assert.deepEqual(warnings, []);
  context.diagnostic(`${writes.length} writes to ${last.size} objects`);
});
