import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeProtobuf } from '../../../infra/local/kubernetes/protobuf.ts';
import { StatusError } from '../../../infra/local/kubernetes/status.ts';

function varint(value: number): Buffer {
  return value < 128
    ? Buffer.from([value])
    : Buffer.concat([Buffer.from([(value % 128) + 128]), varint(Math.floor(value / 128))]);
}

const number = (field: number, value: number): Buffer => Buffer.concat([varint(field * 8), varint(value)]);

function bytes(field: number, ...content: readonly (Buffer | string)[]): Buffer {
  const value = Buffer.concat(content.map((item) => Buffer.from(item)));
  return Buffer.concat([varint(field * 8 + 2), varint(value.length), value]);
}

function envelope(apiVersion: string, kind: string, ...object: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from('k8s\0'), bytes(1, bytes(1, apiVersion), bytes(2, kind)), bytes(2, ...object)]);
}

const METADATA = bytes(
  1,
  bytes(1, 'web'),
  bytes(2, ''),
  number(7, 0),
  bytes(8),
  bytes(11, bytes(1, 'a'), bytes(2, 'b')),
);

test('typed objects become the JSON that they mean, without what Go writes for absent values', () => {
  const secret = envelope(
    'v1',
    'Secret',
    METADATA,
    bytes(2, bytes(1, 'key'), bytes(2, Buffer.from([255, 0]))),
    bytes(3, 'Opaque'),
  );
  const metadata = { name: 'web', labels: { a: 'b' } };
  assert.deepEqual(decodeProtobuf(secret), {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata,
    data: { key: '/wA=' },
    type: 'Opaque',
  });
  const port = bytes(
    1,
    bytes(1, 'http'),
    number(3, 8080),
    bytes(4, number(1, 1), number(2, 0), bytes(3, 'web')),
    number(5, 0),
  );
  const other = bytes(1, number(3, 81), bytes(4, number(1, 0), number(2, 9000), bytes(3, '')));
  const service = envelope('v1', 'Service', METADATA, bytes(2, port, other, bytes(4, ''), number(13, 0)), bytes(3));
  assert.deepEqual(decodeProtobuf(service), {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: {
      ports: [
        { name: 'http', port: 8080, targetPort: 'web' },
        { port: 81, targetPort: 9000 },
      ],
      publishNotReadyAddresses: false,
    },
  });
  const backend = bytes(2, bytes(4, bytes(1, 'web'), bytes(2, bytes(1, ''), number(2, 80))));
  const rule = bytes(
    3,
    bytes(1, 'a.example'),
    bytes(2, bytes(1, bytes(1, bytes(1, '/'), backend, bytes(3, 'Prefix')))),
  );
  const ingress = envelope('networking.k8s.io/v1', 'Ingress', METADATA, bytes(2, rule, bytes(4, 'kong')));
  assert.deepEqual(decodeProtobuf(ingress), {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata,
    spec: {
      rules: [
        {
          host: 'a.example',
          http: {
            paths: [{ path: '/', backend: { service: { name: 'web', port: { number: 80 } } }, pathType: 'Prefix' }],
          },
        },
      ],
      ingressClassName: 'kong',
    },
  });
});

const refused =
  (code: number) =>
  (error: unknown): boolean =>
    error instanceof StatusError && error.code === code;

test('kinds that are not known, and bodies that are none, are refused', () => {
  assert.throws(() => decodeProtobuf(envelope('apps/v1', 'Deployment', METADATA)), refused(415));
  assert.throws(() => decodeProtobuf(Buffer.from('{}')), refused(400));
  assert.throws(() => decodeProtobuf(envelope('v1', 'Secret', METADATA).subarray(0, -3)), refused(400));
  assert.equal(decodeProtobuf(Buffer.alloc(0)), undefined);
});

test('no bytes make it fail otherwise', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (content) => {
      try {
        decodeProtobuf(envelope('v1', 'Service', Buffer.from(content)));
      } catch (error) {
        assert.ok(error instanceof StatusError);
      }
    }),
    { numRuns: 2000 },
  );
});
