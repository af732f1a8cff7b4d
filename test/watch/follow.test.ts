import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import type { ChangeEvent } from '../../shared/events.ts';
import { AppError } from '../../shared/errors.ts';
import { parseWatchEvent } from '../../shared/watch/events.ts';
import { type FollowTools, follow, type WatchCounts } from '../../shared/watch/follow.ts';
import { ConnectionFailed, type ApiRequest, type ApiResponse } from '../../shared/kubernetes/transport.ts';

const OK = { status: 200, retryAfter: undefined };

function object(name: string, resourceVersion: string, managedFields: object[] = []): object {
  return { metadata: { name, namespace: 'shop', uid: `uid-${name}`, resourceVersion, managedFields } };
}

function list(resourceVersion: string, ...items: object[]): ApiResponse {
  return { ...OK, body: { metadata: { resourceVersion }, items } };
}

function told(type: string, of: object): object {
  return { type, object: of };
}

const bookmark = (resourceVersion: string): object => told('BOOKMARK', { metadata: { resourceVersion } });
const gone = told('ERROR', { kind: 'Status', code: 410, reason: 'Expired' });
const expired: ApiResponse = { ...OK, status: 410, body: { kind: 'Status', code: 410, reason: 'Expired' } };

/** A watch that tells this and ends; `cut` ends it in the middle of a line, as a connection that breaks. */
function stream(events: readonly object[], cut = ''): ApiResponse {
  return { ...OK, body: Readable.from([...events.map((event) => `${JSON.stringify(event)}\n`), cut]) };
}

interface Followed {
  readonly changes: readonly string[];
  readonly reconciles: number;
  readonly counts: WatchCounts;
  /** Versions that watches began at, and `list` for each list. */
  readonly asked: readonly string[];
  readonly pauses: readonly number[];
  readonly problems: readonly string[];
}

type Step = ApiResponse | ConnectionFailed;

/** Follows Services over these answers, lists and watches each in turn, until one list or watch is missing. */
async function followed(lists: readonly Step[], watches: readonly Step[]): Promise<Followed> {
  const controller = new AbortController();
  const [changes, asked, pauses, problems]: [string[], string[], number[], string[]] = [[], [], [], []];
  const counts = { events: 0, duplicates: 0, statusWrites: 0, relists: 0, failures: 0 };
  let reconciles = 0;
  const next = (steps: Step[], name: string) => async (request: ApiRequest) => {
    asked.push(name === 'list' ? name : String(request.query?.['resourceVersion']));
    const step = steps.shift();
    if (step === undefined) controller.abort();
    if (step === undefined || step instanceof ConnectionFailed) throw step ?? new ConnectionFailed('over');
    return step;
  };
  const tools: FollowTools = {
    source: {
      send: next([...lists], 'list'),
      open: next([...watches], 'watch'),
      versions: { current: () => 'v1', served: async () => undefined },
    },
    sink: {
      change: ({ operation, ref, resourceVersion }: ChangeEvent) =>
        changes.push(
          `${operation} ${ref.namespace}/${ref.name}${resourceVersion === undefined ? '' : `@${resourceVersion}`}`,
        ),
      reconcile: () => {
        reconciles += 1;
      },
    },
    counts,
    cluster: 'prod',
    signal: controller.signal,
    sleep: async (ms) => {
      pauses.push(ms);
    },
    random: () => 1,
    now: () => '2026-11-25T19:00:00Z',
    onReady: () => undefined,
    onFailure: (_kind, reason) => problems.push(reason),
  };
  await follow('Service', tools);
  return { changes, reconciles, counts, asked, pauses, problems };
}

test('the first list asks for a reconcile, and the watch begins where it ended', async () => {
  const { changes, reconciles, asked } = await followed([list('10', object('a', '5'))], []);
  assert.deepEqual([changes, reconciles, asked], [[], 1, ['list', '10']]);
});

test('events become changes, and the next watch begins after the last of them', async () => {
  const events = [
    told('ADDED', object('a', '11')),
    told('MODIFIED', object('a', '12')),
    told('DELETED', object('a', '13')),
  ];
  const { changes, asked, counts, pauses } = await followed([list('10')], [stream(events)]);
  assert.deepEqual(changes, ['create shop/a@11', 'update shop/a@12', 'delete shop/a']);
  assert.deepEqual(asked, ['list', '10', '13']);
  assert.deepEqual([counts.events, counts.failures, pauses], [3, 0, []]);
});

test('a bookmark moves the place to watch from, and is no change', async () => {
  const { changes, asked, counts } = await followed([list('10')], [stream([bookmark('50')])]);
  assert.deepEqual([changes, asked, counts.events], [[], ['list', '10', '50'], 0]);
});

test('what is told twice is posted once', async () => {
  const events = [
    told('ADDED', object('a', '5')),
    told('MODIFIED', object('a', '12')),
    told('MODIFIED', object('a', '12')),
  ];
  const { changes, counts } = await followed([list('10', object('a', '5'))], [stream(events)]);
  assert.deepEqual([changes, counts.duplicates], [['update shop/a@12'], 2]);
});

test('a connection that breaks resumes after what came, without a list', async () => {
  const broken = stream([told('ADDED', object('a', '11'))], '{"type":"MODIF');
  const { changes, asked, counts } = await followed(
    [list('10')],
    [broken, new ConnectionFailed('ECONNRESET'), stream([told('ADDED', object('b', '12'))])],
  );
  assert.deepEqual(changes, ['create shop/a@11', 'create shop/b@12']);
  assert.deepEqual(asked, ['list', '10', '11', '11', '12']);
  assert.deepEqual([counts.relists, counts.failures], [0, 2]);
});

for (const [title, watch] of [
  ['an ERROR event', stream([gone])],
  ['an answer', expired],
] as const) {
  test(`410 as ${title} lists again and tells what differs by version`, async () => {
    const before = list('10', object('same', '1'), object('changed', '2'), object('gone', '3'));
    const after = list('90', object('same', '1'), object('changed', '80'), object('new', '81'));
    const { changes, reconciles, asked, counts } = await followed([before, after], [watch]);
    assert.deepEqual(changes.toSorted(), ['create shop/new@81', 'delete shop/gone', 'update shop/changed@80']);
    assert.deepEqual([asked, counts.relists, reconciles], [['list', '10', 'list', '90'], 1, 1]);
  });
}

test('a list that fails on the way tells nothing, and is done again', async () => {
  const half = { ...OK, body: { metadata: { resourceVersion: '90', continue: 'next' }, items: [] } };
  const failed = { ...OK, status: 500, body: '' };
  const before = list('10', object('a', '1'));
  const { changes, counts } = await followed([before, half, failed, list('91', object('a', '1'))], [stream([gone])]);
  assert.deepEqual([changes, counts.relists], [[], 1]);
});

test('failures are repeated with pauses that grow to half a minute', async () => {
  const failures = Array.from({ length: 9 }, () => new ConnectionFailed('ECONNREFUSED'));
  const { pauses, problems } = await followed([list('10')], failures);
  assert.deepEqual(pauses, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  assert.deepEqual(problems[0], 'ECONNREFUSED');
});

test('a kind whose CRD is not installed is looked for again, and its objects then need a reconcile', async () => {
  const absent = { ...OK, status: 404, body: '404 page not found' };
  const { changes, reconciles, pauses } = await followed([absent, list('10', object('a', '5'))], []);
  assert.deepEqual([changes, reconciles, pauses], [[], 1, [60_000]]);
});

const spec = (time: string): object => ({ manager: 'kubectl', operation: 'Apply', time });
const status = (time: string): object => ({ ...spec(time), manager: 'functions', subresource: 'status' });
const writes: readonly [title: string, fields: object[], passes: boolean][] = [
  ['of the status alone', [spec('2026-01-01T00:00:00Z'), status('2026-01-01T00:00:09Z')], false],
  ['of both in one second', [spec('2026-01-01T00:00:09Z'), status('2026-01-01T00:00:09Z')], true],
  ['of the rest, later', [spec('2026-01-01T00:00:10Z'), status('2026-01-01T00:00:09Z')], true],
  ['that nobody signed', [], true],
];
for (const [title, fields, passes] of writes) {
  test(`a write ${title} is ${passes ? 'a change' : 'none'}`, async () => {
    const { changes, counts } = await followed(
      [list('10', object('a', '5'))],
      [stream([told('MODIFIED', object('a', '11', fields))])],
    );
    assert.equal(changes.length, passes ? 1 : 0);
    assert.equal(counts.statusWrites, passes ? 0 : 1);
  });
}

test('a line that is no event of a watch is an error, never passed over', () => {
  assert.throws(() => parseWatchEvent('{"type":"ADDED","obj'), ConnectionFailed);
  for (const line of ['{}', '{"type":"ADDED","object":{}}', '{"type":"OTHER","object":{"metadata":{}}}', '[]']) {
    assert.throws(() => parseWatchEvent(line), AppError, line);
  }
});
