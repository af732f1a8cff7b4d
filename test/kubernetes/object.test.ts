import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AppError } from '../../shared/errors.ts';
import { KINDS, isKind } from '../../shared/kubernetes/kinds.ts';
import { asResource, parseObject } from '../../shared/kubernetes/object.ts';

test('bookkeeping that nobody reads is dropped, the rest is kept, the input untouched', () => {
  const input = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: 'echo',
      managedFields: [{ manager: 'kubectl' }],
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', 'konghq.com/path': '/x' },
      labels: null,
    },
    spec: { ports: [{ port: 80, name: null }], selector: { app: 'echo' } },
  };
  const before = structuredClone(input);
  assert.deepEqual(parseObject('Service', input), {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'echo', annotations: { 'konghq.com/path': '/x' } },
    spec: { ports: [{ port: 80 }], selector: { app: 'echo' } },
  });
  assert.deepEqual(input, before);
});

test('a null in free-form JSON is kept: it means something there', () => {
  const parsed: object = parseObject('ConfigMap', {
    metadata: { name: 'x' },
    config: { limit: null },
    fields: [null],
    other: { a: null },
  });
  assert.deepEqual(parsed, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'x' },
    config: { limit: null },
    fields: [null],
    other: {},
  });
});

for (const value of [
  undefined,
  null,
  'x',
  [],
  {},
  { metadata: null },
  { metadata: {} },
  { metadata: { name: 7 } },
  { metadata: { name: 'x', namespace: 1 } },
]) {
  test(`${JSON.stringify(value)} is no object`, () => {
    assert.throws(() => parseObject('Service', value), { code: 'KUBERNETES_ANSWER_INVALID' });
  });
}

test('any JSON under a name is its kind’s type or a MalformedObject, whatever the kind', () => {
  const kinds = Object.keys(KINDS).filter(isKind);
  fc.assert(
    fc.property(fc.constantFrom(...kinds), fc.jsonValue(), fc.jsonValue(), (kind, spec, labels) => {
      const object = parseObject(kind, {
        metadata: { name: 'x', ...(labels === null ? {} : { labels }) },
        spec,
        data: spec,
      });
      try {
        assert.equal(asResource(kind, object), object);
      } catch (error) {
        assert.ok(error instanceof AppError && error.code === 'KUBERNETES_OBJECT_MALFORMED', String(error));
      }
    }),
    { numRuns: 500 },
  );
});
