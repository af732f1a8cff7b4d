import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../shared/errors.ts';
import { webhookConfig } from '../../shared/webhook/config.ts';
import { budgetMs, judged } from '../../shared/webhook/judge.ts';
import { receive } from '../../shared/webhook/receive.ts';
import { ALLOWED, type AdmissionWrite, type Judge, type Verdict } from '../../shared/webhook/verdict.ts';
import { review } from '../webhook/payloads.ts';

const WRITE: AdmissionWrite = { kind: 'Ingress', namespace: 'shop', name: 'web', object: {}, before: undefined };
const REFUSED: Verdict = { ...ALLOWED, allowed: false, message: 'no', code: 400, reasons: ['InvalidHost'] };

test('judging has the time that the sender waits or the function has, less what the rest takes', () => {
  const cases: readonly [timeoutMs: number | undefined, remainingMs: number, budget: number][] = [
    [5_000, 19_000, 4_000],
    [undefined, 19_000, 9_000],
    [30_000, 19_000, 18_000],
    [1_500, 19_000, 1_000],
    [5_000, 600, 400],
    [5_000, 0, 0],
  ];
  for (const [timeoutMs, remainingMs, budget] of cases) {
    assert.equal(Math.round(budgetMs(timeoutMs, remainingMs)), budget, `${timeoutMs} ${remainingMs}`);
  }
});

test('a judge that is not done in time leaves the write undecided', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  for (const [mode, allowed] of [
    ['open', true],
    ['closed', false],
  ] as const) {
    const verdict = judged(WRITE, () => new Promise<never>(() => undefined), mode, 4_000);
    t.mock.timers.tick(3_999);
    t.mock.timers.tick(1);
    const { code, reasons, warnings, message, ...rest } = await verdict;
    assert.equal(rest.allowed, allowed);
    assert.deepEqual(reasons, ['ADMISSION_TOO_SLOW']);
    assert.match(`${warnings.join()}${message}`, /not checked \(ADMISSION_TOO_SLOW\)/);
    assert.equal(code, allowed ? 200 : 503);
  }
});

const faulty: Judge = () => Promise.reject(new TypeError('password'));

test('a fault of ours leaves the write undecided, and its text stays inside', async () => {
  const open = await judged(WRITE, faulty, 'open', 1_000);
  assert.deepEqual([open.allowed, open.reasons], [true, ['INTERNAL']]);
  const closed = await judged(WRITE, faulty, 'closed', 1_000);
  assert.deepEqual([closed.allowed, closed.code], [false, 503]);
  assert.doesNotMatch(JSON.stringify([open, closed]), /password/);
});

test('a refusal stands, whatever else could not be looked at', async () => {
  const unchecked = [new AppError('KONG_UNREACHABLE', 'x')];
  for (const mode of ['open', 'closed'] as const) {
    assert.equal((await judged(WRITE, async () => ({ ...REFUSED, unchecked }), mode, 1_000)).message, 'no');
  }
});

test('ADMISSION is off unless it is open or closed', () => {
  const env = { WEBHOOK_TOKENS: 't', EVENT_BUS_NAME: 'bus' };
  assert.equal(webhookConfig(env).admission, 'off');
  assert.equal(webhookConfig({ ...env, ADMISSION: '' }).admission, 'off');
  assert.equal(webhookConfig({ ...env, ADMISSION: 'closed' }).admission, 'closed');
  assert.throws(() => webhookConfig({ ...env, ADMISSION: 'on' }), { code: 'CONFIG_INVALID' });
});

const REQUEST = {
  method: 'POST',
  headers: { authorization: 'Bearer t', 'content-type': 'application/json' },
  pathToken: undefined,
  receivedMs: undefined,
  timeoutMs: 5_000,
  isBase64Encoded: false,
  requestId: 'r',
  clientCertificate: undefined,
};

/** The webhook's answer to a changed Ingress, what it published and how often it asked the judge. */
async function answered(
  admission: 'off' | 'open',
  verdict: Verdict,
  more: object = {},
): Promise<{
  readonly allowed: unknown;
  readonly published: number;
  readonly ignored: object;
  readonly asked: number;
}> {
  let asked = 0;
  const config = webhookConfig({ WEBHOOK_TOKENS: 't', EVENT_BUS_NAME: 'bus', ADMISSION: admission });
  const body = JSON.stringify(review({ oldObject: null, operation: 'CREATE', ...more }));
  const publisher = {
    publishChanges: async (changes: readonly object[]) => changes.length,
    publishReconcileRequests: async () => 0,
  };
  const judge: Judge = async () => {
    asked += 1;
    return verdict;
  };
  const { response, published, ignored } = await receive({ ...REQUEST, body }, config, publisher, {
    judge,
    remainingMs: () => 19_000,
  });
  return { allowed: JSON.parse(response.body).response.allowed, published, ignored, asked };
}

test('a refused write is no hint, an accepted one is, and a dry run is judged and none', async () => {
  assert.deepEqual(await answered('open', REFUSED), {
    allowed: false,
    published: 0,
    ignored: { Refused: 1 },
    asked: 1,
  });
  assert.deepEqual(await answered('open', ALLOWED), { allowed: true, published: 1, ignored: {}, asked: 1 });
  assert.deepEqual(await answered('open', ALLOWED, { dryRun: true }), {
    allowed: true,
    published: 0,
    ignored: { DryRun: 1 },
    asked: 1,
  });
  assert.deepEqual(await answered('off', REFUSED), { allowed: true, published: 1, ignored: {}, asked: 0 });
});
