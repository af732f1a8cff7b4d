import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { until } from '../../infra/local/demo/meter.ts';
import { send } from '../../infra/local/demo/probe.ts';
import { CLUSTER_CHANGE, EVENT_SOURCE, type ChangeEvent } from '../../shared/events.ts';
import { refOf } from '../../shared/findings.ts';
import { isRecord } from '../../shared/json.ts';
import type { KubernetesObject } from '../../shared/kubernetes/resources.ts';
import type { Lab } from './lab.ts';
import { manifests } from './objects.ts';

const DEADLINE_MS = 30_000;

/** How many changes the bus has carried. */
function carried(lab: Lab): number {
  return lab.events.filter((event) => event['detail-type'] === CLUSTER_CHANGE).length;
}

/** Changes the cluster and waits until the API server's audit webhook has brought all of it to the bus. */
async function seen(lab: Lab, changes: number, act: () => Promise<void>): Promise<void> {
  const before = carried(lab);
  await act();
  await until(`${changes} changes on the bus`, DEADLINE_MS, () =>
    carried(lab) - before >= changes ? true : undefined,
  );
}

/** Applies objects; their events reach `sync`, which may fail. Resolves when `sync` has seen them all once. */
export async function apply(lab: Lab, ...objects: readonly KubernetesObject[]): Promise<void> {
  await attempted(lab, () => seen(lab, objects.length, () => lab.cluster.apply(...manifests(...objects))));
}

/** Deletes objects, as `apply`. */
export async function remove(lab: Lab, ...objects: readonly KubernetesObject[]): Promise<void> {
  await attempted(lab, () => seen(lab, objects.length, () => lab.cluster.remove(...manifests(...objects))));
}

/** Whether bus, queue and functions are at rest now; messages that wait for another try are no rest. */
function isIdle(lab: Lab): Promise<boolean> {
  return lab.stack.cloud.idle(20).then(
    () => true,
    () => false,
  );
}

/** Does something that brings messages to the queue; resolves when `sync` is done with them, or has given some back. */
export async function attempted(lab: Lab, act: () => Promise<unknown>): Promise<void> {
  const before = lab.log.filter(isFailure).length;
  await act();
  await until('the end of sync', DEADLINE_MS, async () =>
    lab.log.filter(isFailure).length > before || (await isIdle(lab)) ? true : undefined,
  );
}

function isFailure(record: Lab['log'][number]): boolean {
  return record['function'] === 'sync' && record['level'] === 'ERROR';
}

/** Changes the cluster without anybody hearing of it. */
export async function unseen(lab: Lab, changes: number, act: () => Promise<void>): Promise<void> {
  const { cloud } = lab.stack;
  const before = cloud.counters().dropped;
  cloud.dropNextEvents(changes);
  await act();
  await until('changes that are lost on purpose', DEADLINE_MS, () =>
    cloud.counters().dropped - before >= changes ? true : undefined,
  );
}

/** Lets messages that failed come again, and waits until all are done. */
export async function redeliver(lab: Lab): Promise<void> {
  let repeated = 0;
  await until('redelivered messages', DEADLINE_MS, async () => {
    repeated += lab.stack.cloud.retryNow();
    return (await isIdle(lab)) ? true : undefined;
  });
  assert.ok(repeated > 0, 'no message waited for another try');
}

/** An event about an object as it stands, for a direct invocation of `sync`. */
export function changed(object: KubernetesObject, operation: ChangeEvent['operation'] = 'update'): ChangeEvent {
  return { ref: refOf('local', object), operation, observedAt: '2026-01-01T00:00:00Z' };
}

/** The SQS event that brings changes to `sync`. */
export function queueEvent(...changes: readonly ChangeEvent[]): object {
  return {
    Records: changes.map((detail) => {
      const messageId = randomUUID();
      const body = { id: messageId, source: EVENT_SOURCE, 'detail-type': CLUSTER_CHANGE, detail };
      return { messageId, body: JSON.stringify(body) };
    }),
  };
}

/** Runs `sync` with these changes; gives how many it gives back to the queue. */
export async function sync(lab: Lab, ...changes: readonly ChangeEvent[]): Promise<number> {
  const answer = await lab.stack.cloud.invoke('sync', queueEvent(...changes));
  const failures = isRecord(answer) ? answer['batchItemFailures'] : undefined;
  assert.ok(Array.isArray(failures));
  return failures.length;
}

/** Runs reconcile; gives what it answers. */
export async function reconcile(lab: Lab, force = false): Promise<Readonly<Record<string, unknown>>> {
  const answer = await lab.stack.cloud.invoke('reconcile', { force });
  assert.ok(isRecord(answer));
  return answer;
}

/** Reasons of the findings since `from`, with the objects that they are on. */
export function findings(lab: Lab, from = 0): readonly string[] {
  const found = lab.log
    .slice(from)
    .filter((record) => record['severity'] !== undefined && record['reason'] !== undefined)
    .map((record) => `${String(record['reason'])} ${String(record['object'])}`);
  return [...new Set(found)].toSorted();
}

/** Codes of the errors since `from`. */
export function codes(lab: Lab, from = 0): readonly string[] {
  const found = lab.log.slice(from).flatMap(({ code }) => (typeof code === 'string' ? [code] : []));
  return [...new Set(found)].toSorted();
}

/** Resolves when every data plane answers a host and path with this status, and by the backend when that is 200. */
export async function served(lab: Lab, host: string, status = 200, path = '/'): Promise<void> {
  for (const { name, http } of lab.stack.kong.proxies) {
    let saw = 'nothing';
    await until(`${host}${path} answered ${status} by ${name}`, DEADLINE_MS, async () => {
      const answer = await send(http, { scheme: 'http', host, path });
      saw = `${answer.status} ${answer.body}`;
      return answer.status === status && (status !== 200 || answer.body.includes('"backend"')) ? true : undefined;
    }).catch((error: unknown) => {
      const errors = lab.log.filter((record) => record['level'] === 'ERROR').slice(-3);
      throw new Error(`${host}${path} by ${name}: saw ${saw}; ${JSON.stringify(errors)}`, { cause: error });
    });
  }
}
