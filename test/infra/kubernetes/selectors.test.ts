import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonPath } from '../../../infra/local/kubernetes/jsonpath.ts';
import { selects } from '../../../infra/local/kubernetes/metadata.ts';
import {
  matchesFields,
  matchesLabels,
  parseFieldSelector,
  parseLabelSelector,
} from '../../../infra/local/kubernetes/selectors.ts';
import { StatusError } from '../../../infra/local/kubernetes/status.ts';
import { age } from '../../../infra/local/kubernetes/columns.ts';

const LABELS = { app: 'web', tier: 'front', 'example.org/zone': 'a' };
const SELECTORS: Readonly<Record<string, boolean>> = {
  '': true,
  'app=web': true,
  'app==web': true,
  'app = web , tier=front': true,
  'app=web,tier=back': false,
  'app!=web': false,
  'other!=web': true,
  'app in (web, api)': true,
  'app in (api)': false,
  'app notin (api)': true,
  'other notin (api)': true,
  'app notin (web),tier': false,
  app: true,
  other: false,
  '!other': true,
  '!app': false,
  'example.org/zone=a': true,
  'other=': false,
};

for (const [selector, matches] of Object.entries(SELECTORS)) {
  test(`label selector ${JSON.stringify(selector)} ${matches ? 'matches' : 'does not match'}`, () => {
    assert.equal(matchesLabels(LABELS, parseLabelSelector(selector)), matches);
  });
}

const refused = (error: unknown): boolean => error instanceof StatusError && error.code === 400;

test('selectors that cannot be read are refused with 400', () => {
  for (const selector of ['a=b=c', 'a in b', '=x', 'a in (b', '-a=b', 'a=b c']) {
    assert.throws(() => parseLabelSelector(selector), refused, selector);
  }
  assert.throws(() => parseFieldSelector('spec.unknown=1', []), refused);
  assert.throws(() => parseFieldSelector('metadata.name', []), refused);
});

test('field selectors compare fields, absent ones as empty', () => {
  const object = { metadata: { name: 'a' }, type: 'Opaque' };
  const matches = (selector: string): boolean =>
    matchesFields(object, parseFieldSelector(selector, ['type', 'reason']));
  assert.ok(matches('metadata.name=a,type!=other'));
  assert.ok(matches('reason='));
  assert.ok(!matches('metadata.name!=a'));
  assert.ok(!matches('type=x'));
});

test('a LabelSelector object selects as its text form does', () => {
  assert.ok(selects({}, LABELS));
  assert.ok(selects({ matchLabels: { app: 'web' }, matchExpressions: [{ key: 'tier', operator: 'Exists' }] }, LABELS));
  assert.ok(!selects({ matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['front', 'x'] }] }, LABELS));
  assert.ok(selects({ matchExpressions: [{ key: 'tier', operator: 'In', values: ['front', 'x'] }] }, LABELS));
  assert.ok(!selects({ matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] }, LABELS));
});

test('printer column paths reach fields, items, all items and filtered items', () => {
  const object = {
    spec: { list: [{ n: 1 }, { n: 2 }], 'a.b': 'dotted' },
    status: {
      conditions: [
        { type: 'Accepted', status: 'False' },
        { type: 'Programmed', status: 'True' },
      ],
    },
  };
  assert.deepEqual(jsonPath(object, '.spec.list[*].n'), [1, 2]);
  assert.deepEqual(jsonPath(object, '.spec.list[1].n'), [2]);
  assert.deepEqual(jsonPath(object, '.spec.list[-1].n'), [2]);
  assert.deepEqual(jsonPath(object, String.raw`.spec.a\.b`), ['dotted']);
  assert.deepEqual(jsonPath(object, ".spec['a.b']"), ['dotted']);
  assert.deepEqual(jsonPath(object, '.status.conditions[?(@.type=="Programmed")].status'), ['True']);
  assert.deepEqual(jsonPath(object, '.missing.field'), []);
  assert.deepEqual(jsonPath(object, '.spec.{x}'), []);
});

test('ages are shown in the largest unit that fits twice', () => {
  const now = Date.parse('2026-01-02T00:00:00Z');
  const cases = {
    '2026-01-01T23:59:59Z': '1s',
    '2026-01-01T23:58:30Z': '90s',
    '2026-01-01T23:50:00Z': '10m',
    '2026-01-01T12:00:00Z': '12h',
    '2025-12-01T00:00:00Z': '32d',
    '2026-01-03T00:00:00Z': '0s',
    nonsense: '<unknown>',
  };
  for (const [since, shown] of Object.entries(cases)) assert.equal(age(since, now), shown);
});
