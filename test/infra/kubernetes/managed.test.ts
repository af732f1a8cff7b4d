import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, listAt, objectAt, textAt, type JsonObject } from '../../../infra/local/kubernetes/json.ts';
import { afterUpdate, serverSideApply, type Writer } from '../../../infra/local/kubernetes/managed.ts';
import { StatusError } from '../../../infra/local/kubernetes/status.ts';

const by = (manager: string): Writer => ({ manager, apiVersion: 'v1', subresource: '', time: '2026-01-01T00:00:00Z' });

function service(ports: readonly JsonObject[], more: JsonObject = {}): JsonObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', ...more }, spec: { ports } };
}

function managers(object: JsonObject): readonly string[] {
  return listAt(object, 'metadata', 'managedFields').map(
    (entry) => `${textAt(entry, 'manager')}/${textAt(entry, 'operation')}`,
  );
}

test('an apply makes the object and owns what it names', () => {
  const made = serverSideApply(undefined, service([{ port: 80, protocol: 'TCP', name: 'http' }]), by('a'), false);
  assert.deepEqual(at(made, 'spec'), { ports: [{ port: 80, protocol: 'TCP', name: 'http' }] });
  assert.deepEqual(at(listAt(made, 'metadata', 'managedFields')[0], 'fieldsV1'), {
    'f:spec': {
      'f:ports': {
        'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:name': {}, 'f:port': {}, 'f:protocol': {} },
      },
    },
  });
});

test('what a manager no longer applies is removed, with what defaults added to a list item', () => {
  const first = serverSideApply(
    undefined,
    service([{ port: 80 }, { port: 81 }], { labels: { a: '1', b: '2' } }),
    by('a'),
    false,
  );
  const defaulted = {
    ...first,
    spec: {
      type: 'ClusterIP',
      ports: [
        { port: 80, protocol: 'TCP', targetPort: 80 },
        { port: 81, protocol: 'TCP', targetPort: 81 },
      ],
    },
  };
  const second = serverSideApply(defaulted, service([{ port: 81 }], { labels: { b: '2' } }), by('a'), false);
  assert.deepEqual(at(second, 'spec'), { type: 'ClusterIP', ports: [{ port: 81, protocol: 'TCP', targetPort: 81 }] });
  assert.deepEqual(at(second, 'metadata', 'labels'), { b: '2' });
});

test('what two managers apply stays until both let go', () => {
  const first = serverSideApply(undefined, service([{ port: 80 }], { labels: { a: '1' } }), by('a'), false);
  const both = serverSideApply(first, service([{ port: 80 }], { labels: { a: '1' } }), by('b'), false);
  const one = serverSideApply(both, service([{ port: 80 }]), by('a'), false);
  assert.deepEqual(at(one, 'metadata', 'labels'), { a: '1' });
  const none = serverSideApply(one, service([{ port: 80 }]), by('b'), false);
  assert.equal(at(none, 'metadata', 'labels'), undefined);
});

test('changing what another manager owns is a conflict that force resolves', () => {
  const first = serverSideApply(undefined, service([{ port: 80, name: 'a' }]), by('a'), false);
  const other = service([{ port: 80, name: 'b' }]);
  assert.throws(
    () => serverSideApply(first, other, by('b'), false),
    (error) =>
      error instanceof StatusError &&
      error.code === 409 &&
      /conflict with "a": \.spec\.ports\[.*\]\.name/.test(error.message),
  );
  const forced = serverSideApply(first, other, by('b'), true);
  assert.equal(textAt(listAt(forced, 'spec', 'ports')[0], 'name'), 'b');
  const back = serverSideApply(forced, service([{ port: 80 }]), by('a'), false);
  assert.equal(textAt(listAt(back, 'spec', 'ports')[0], 'name'), 'b', 'a does not own the name any more');
});

test('an update takes over what it changes, and only that', () => {
  const first = serverSideApply(undefined, service([{ port: 80 }], { labels: { a: '1', b: '2' } }), by('a'), false);
  const changed = {
    ...first,
    metadata: {
      ...objectAt(first, 'metadata'),
      managedFields: at(first, 'metadata', 'managedFields') ?? [],
      labels: { a: '9', b: '2' },
    },
  };
  const updated = afterUpdate(first, changed, by('kubectl-edit'));
  assert.deepEqual(managers(updated), ['a/Apply', 'kubectl-edit/Update']);
  assert.throws(
    () => serverSideApply(updated, service([{ port: 80 }], { labels: { a: '1' } }), by('a'), false),
    /kubectl-edit/,
  );
  assert.doesNotThrow(() => serverSideApply(updated, service([{ port: 80 }], { labels: { b: '3' } }), by('a'), false));
});

test('an update that changes nothing changes no ownership', () => {
  const first = afterUpdate(undefined, service([{ port: 80 }]), by('a'));
  assert.deepEqual(afterUpdate(first, first, by('b')), first);
});
