import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { isRecord } from '../../shared/json.ts';
import type { Hint } from '../../shared/webhook/change.ts';
import { readHints } from '../../shared/webhook/read.ts';
import { SERVICES, eventually, send, service, stand } from '../infra/kubernetes/stand.ts';
import { startBus } from '../support/event-bus.ts';
import { startServer } from '../support/http-server.ts';
import { RECEIPT } from '../webhook/payloads.ts';

const ROOT = path.join(import.meta.dirname, '../..');

interface Process {
  readonly lines: Record<string, unknown>[];
  line(message: string): Promise<Record<string, unknown>>;
  /** Sends SIGTERM, and gives the exit code. */
  end(): Promise<number | null>;
}

function start(t: TestContext, args: readonly string[], env: Readonly<Record<string, string>>): Process {
  const child = spawn(process.execPath, ['functions/cli.ts', 'watch', ...args], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'] ?? '', NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  t.after(() => child.kill('SIGKILL'));
  const lines: Record<string, unknown>[] = [];
  const output = createInterface({ input: child.stdout }).on('line', (line) => {
    const parsed: unknown = JSON.parse(line);
    if (isRecord(parsed)) lines.push({ ...parsed });
  });
  return {
    lines,
    line: async (message) => {
      for (;;) {
        const found = lines.find((line) => line['message'] === message);
        if (found !== undefined) return found;
        await once(output, 'line');
      }
    },
    end: () => {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

test('watch posts to the webhook what the webhook understands, answers probes and ends with its counts', async (t) => {
  const k = await stand(t);
  const hook = await startServer(() => ({ status: 202, body: {} }));
  t.after(() => hook.stop());
  const watch = start(t, ['--kubeconfig', k.kubeconfig, '--health', '127.0.0.1:0'], {
    WEBHOOK_URL: `${hook.url}/webhook`,
    WEBHOOK_TOKEN: 'new-token',
    CLUSTER_NAME: 'a-name-that-the-token-overrules',
  });
  const { port } = await watch.line('watching');
  await eventually(async () => ((await fetch(`http://127.0.0.1:${String(port)}/readyz`)).ok ? true : undefined));
  await eventually(() => (hook.seen.length > 0 ? true : undefined));
  await send(k, 'POST', SERVICES, service('echo'));
  await eventually(() => (hook.seen.some(({ body }) => body.includes('"echo"')) ? true : undefined));
  assert.equal((await fetch(`http://127.0.0.1:${String(port)}/livez`)).status, 200);
  assert.equal(await watch.end(), 0);
  const hints = hook.seen.flatMap(({ headers, body }): readonly Hint[] => {
    assert.equal(headers['authorization'], 'Bearer new-token');
    const json: unknown = JSON.parse(body);
    return readHints({}, { mediaType: String(headers['content-type']), json }, RECEIPT).hints;
  });
  const [first, last] = [hints[0], hints.at(-1)];
  assert.ok(first !== undefined && 'reconcile' in first);
  assert.deepEqual([first.reconcile.cluster, first.reconcile.reason], ['prod', 'WatchStarted']);
  assert.ok(last !== undefined && 'change' in last);
  assert.deepEqual([last.change.operation, last.change.ref.name, last.change.ref.cluster], ['create', 'echo', 'prod']);
  assert.match(last.change.resourceVersion ?? '', /^\d+$/);
  assert.match(last.change.uid ?? '', /^[-0-9a-f]{36}$/);
  const ended = watch.lines.at(-1);
  assert.deepEqual([ended?.['message'], ended?.['published'], ended?.['waiting']], ['ended', hints.length, 0]);
  assert.doesNotMatch(JSON.stringify(watch.lines), /new-token/);
});

test('watch posts to the bus, under the name of the cluster', async (t) => {
  const k = await stand(t);
  const bus = await startBus();
  t.after(() => bus.stop());
  const watch = start(t, ['--to', 'bus', '--kubeconfig', k.kubeconfig], {
    AWS_ENDPOINT_URL_EVENTBRIDGE: bus.url,
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    EVENT_BUS_NAME: 'changes',
    CLUSTER_NAME: 'prod',
  });
  await watch.line('watching');
  await eventually(() => bus.taken.find(({ type }) => type === 'ReconcileRequested'));
  await send(k, 'POST', SERVICES, service('echo'));
  const told = await eventually(() => bus.taken.find(({ type }) => type === 'ClusterChange'));
  assert.deepEqual(Object(told.detail).ref, {
    cluster: 'prod',
    group: '',
    version: 'v1',
    kind: 'Service',
    namespace: 'default',
    name: 'echo',
  });
  assert.equal(await watch.end(), 0);
});
