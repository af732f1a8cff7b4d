import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { Logger } from '@aws-lambda-powertools/logger';
import { AppError } from '../shared/errors.ts';
import { type HandlerKind, handler } from '../shared/handler.ts';
import { context } from './support/lambda.ts';

/** A logger whose lines can be read. */
function recording(): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  const logger = new Logger({ serviceName: 'test' });
  for (const level of ['debug', 'info', 'warn', 'error', 'log'] as const) {
    Reflect.set(Reflect.get(logger, 'console') ?? {}, level, (line: unknown) => lines.push(String(line)));
  }
  return { logger, lines };
}

function textOf(event: unknown): string {
  if (typeof event === 'object' && event !== null && 'text' in event && typeof event.text === 'string')
    return event.text;
  throw new AppError('WEBHOOK_MALFORMED', 'there is no text');
}

function failing(error: unknown, kind: HandlerKind, logger = recording().logger): ReturnType<typeof handler> {
  return handler(
    'test',
    async () => {
      throw error;
    },
    { kind, parse: textOf, logger },
  );
}

const EVENT = {
  text: 'secret-body',
  requestContext: { requestId: 'request-7' },
  headers: { Authorization: 'Bearer secret-token' },
};

test('a function gets its parsed input, a correlation id and the time that is left', async () => {
  const run = handler(
    'test',
    async (input, { requestId, remainingMs, signal }) => ({
      input,
      requestId,
      left: remainingMs(),
      aborted: signal.aborted,
    }),
    { kind: 'batch', parse: textOf, marginMs: 400, logger: recording().logger },
  );
  assert.deepEqual(await run(EVENT, context({ remainingMs: 1_000 })), {
    input: 'secret-body',
    requestId: 'request-7',
    left: 600,
    aborted: false,
  });
});

test('the correlation id is the request’s, the event’s or Lambda’s own', async () => {
  const run = handler('test', async (_input, { requestId }) => requestId, {
    kind: 'batch',
    parse: () => '',
    logger: recording().logger,
  });
  assert.equal(await run({ requestContext: { requestId: 'a' }, id: 'b' }, context()), 'a');
  assert.equal(await run({ id: 'b' }, context()), 'b');
  for (const event of [{}, null, 'x', { id: '' }]) assert.equal(await run(event, context({ requestId: 'c' })), 'c');
});

const answers: readonly [
  title: string,
  error: unknown,
  status: number,
  code: string,
  message: RegExp,
  header?: [string, string],
][] = [
  ['a bad request', new AppError('WEBHOOK_MALFORMED', 'not JSON'), 400, 'WEBHOOK_MALFORMED', /^not JSON$/],
  [
    'a missing token',
    new AppError('WEBHOOK_UNAUTHORIZED', 'none'),
    401,
    'WEBHOOK_UNAUTHORIZED',
    /^none$/,
    ['www-authenticate', 'Bearer'],
  ],
  ['a wrong method', new AppError('WEBHOOK_METHOD', 'GET'), 405, 'WEBHOOK_METHOD', /^GET$/, ['allow', 'POST']],
  [
    'a full bus',
    new AppError('EVENTS_NOT_PUBLISHED', 'internal detail'),
    503,
    'EVENTS_NOT_PUBLISHED',
    /^EventBridge did/,
    ['retry-after', '1'],
  ],
  ['a wrong setting', new AppError('CONFIG_INVALID', 'internal detail'), 500, 'CONFIG_INVALID', /^A setting/],
  ['anything else', new Error('internal detail'), 500, 'INTERNAL', /^Something failed/],
  ['a thrown text', 'internal detail', 500, 'INTERNAL', /^Something failed/],
];
for (const [title, error, status, code, message, header] of answers) {
  test(`http: ${title} is answered with ${status} and ${code}`, async () => {
    const answer = await failing(error, 'http')(EVENT, context());
    assert.ok(
      typeof answer === 'object' &&
        answer !== null &&
        'statusCode' in answer &&
        'body' in answer &&
        'headers' in answer,
    );
    assert.equal(answer.statusCode, status);
    const body = JSON.parse(String(answer.body));
    assert.deepEqual(Object.keys(body.error), ['code', 'message', 'nextStep', 'requestId']);
    assert.equal(body.error.code, code);
    assert.match(body.error.message, message);
    assert.equal(body.error.requestId, 'request-7');
    assert.equal(new Headers(Object.entries(Object(answer.headers))).get('content-type'), 'application/json');
    if (header !== undefined)
      assert.equal(new Headers(Object.entries(Object(answer.headers))).get(header[0]), header[1]);
  });
}

test('http: input that cannot be parsed is answered too', async () => {
  const run = handler('test', async (input) => input, { kind: 'http', parse: textOf, logger: recording().logger });
  const answer = await run({}, context());
  assert.ok(typeof answer === 'object' && 'statusCode' in answer);
  assert.equal(answer.statusCode, 400);
});

test('http: header names come in lower case', async () => {
  const run = handler('test', async (input) => input, {
    kind: 'http',
    parse: (event) => JSON.stringify(event),
    logger: recording().logger,
  });
  assert.match(String(await run(EVENT, context())), /"authorization":"Bearer secret-token"/);
});

for (const kind of ['batch', 'schedule', 'logs'] as const) {
  test(`${kind}: an AppError is thrown as it is, another error without what hangs on it`, async () => {
    const known = new AppError('KUBERNETES_UNAVAILABLE', 'refused');
    await assert.rejects(failing(known, kind)(EVENT, context()), known);
    const foreign = Object.assign(new TypeError('boom'), { config: { headers: { authorization: 'secret-token' } } });
    await assert.rejects(failing(foreign, kind)(EVENT, context()), (error) => {
      assert.ok(error instanceof AppError);
      assert.equal(error.code, 'INTERNAL');
      assert.doesNotMatch(inspect(error, { depth: 10, showHidden: true }), /secret-token/);
      return true;
    });
  });
}

test('a function that is not done in time ends before Lambda stops it, and its signal is aborted', async () => {
  let aborted = false;
  const run = handler(
    'slow',
    async (_input, { signal }) => {
      signal.addEventListener('abort', () => (aborted = true));
      await sleep(60_000, undefined, { signal, ref: false });
    },
    { kind: 'batch', parse: textOf, marginMs: 950, logger: recording().logger },
  );
  await assert.rejects(
    run(EVENT, context({ remainingMs: 1_000 })),
    (error) => error instanceof AppError && error.code === 'OUT_OF_TIME',
  );
  assert.equal(aborted, true);
});

test('errors are logged with function, code and correlation id, and never with event, headers or what hangs on them', async () => {
  const { logger, lines } = recording();
  const foreign = Object.assign(new TypeError('boom'), { config: { headers: { authorization: 'secret-token' } } });
  await failing(foreign, 'http', logger)(EVENT, context());
  await failing(new AppError('WEBHOOK_MALFORMED', 'not JSON'), 'http', logger)(EVENT, context());
  const logged = lines.map((line) => JSON.parse(line));
  assert.deepEqual(
    logged.map(({ level, message, code, correlation_id: id, function: name }) => [level, message, code, id, name]),
    [
      ['ERROR', 'failed', 'INTERNAL', 'request-7', 'test'],
      ['WARN', 'refused', 'WEBHOOK_MALFORMED', 'request-7', 'test'],
    ],
  );
  assert.match(logged[0].stack, /boom/);
  assert.doesNotMatch(lines.join('\n'), /secret/);
});
