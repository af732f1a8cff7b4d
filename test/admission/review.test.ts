import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admissionAnswer } from '../../shared/webhook/admission.ts';
import { readHints } from '../../shared/webhook/read.ts';
import { ALLOWED } from '../../shared/webhook/verdict.ts';
import { RECEIPT, review } from '../webhook/payloads.ts';

test('an answer names the review that it is for, and says no more than there is to say', () => {
  const { review: asked } = readHints({}, { mediaType: 'application/json', json: review() }, RECEIPT);
  assert.ok(asked !== undefined);
  const uid = '705ab4f5-6393-11e8-b7cc-42010a800002';
  const head = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' };
  assert.deepEqual(admissionAnswer(asked, ALLOWED), { ...head, response: { uid, allowed: true } });
  const refused = { ...ALLOWED, allowed: false, message: 'no', code: 400, warnings: ['old'] };
  assert.deepEqual(admissionAnswer(asked, refused), {
    ...head,
    response: { uid, allowed: false, status: { code: 400, reason: 'BadRequest', message: 'no' }, warnings: ['old'] },
  });
});

const WEB = (more: object, metadata: object = {}): object => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'web', namespace: 'shop', annotations: { a: '1' }, ...metadata },
  spec: { rules: [] },
  ...more,
});

const judgedReviews: readonly [title: string, request: object, judged: boolean][] = [
  ['a create', { operation: 'CREATE', object: WEB({}), oldObject: null }, true],
  ['another spec', { object: WEB({ spec: {} }), oldObject: WEB({}) }, true],
  ['another annotation', { object: WEB({}, { annotations: { a: '2' } }), oldObject: WEB({}) }, true],
  ['another label', { object: WEB({}, { labels: { a: '2' } }), oldObject: WEB({}) }, true],
  ['a dry run', { operation: 'CREATE', object: WEB({}), oldObject: null, dryRun: true }, true],
  ['a delete', { operation: 'DELETE', object: null, oldObject: WEB({}) }, false],
  ['a status', { subResource: 'status', object: WEB({ status: {} }), oldObject: WEB({}) }, false],
  ['a status that came with the rest', { object: WEB({ status: { a: 1 } }), oldObject: WEB({}) }, false],
  [
    'a finalizer, an owner, a version',
    { object: WEB({}, { finalizers: [], ownerReferences: [], resourceVersion: '8' }), oldObject: WEB({}) },
    false,
  ],
  [
    'an object that goes',
    { object: WEB({ spec: {} }, { deletionTimestamp: '2026-01-01T00:00:00Z' }), oldObject: WEB({}) },
    false,
  ],
  ['our own write', { object: WEB({ spec: {} }), oldObject: WEB({}), userInfo: { username: 'functions' } }, false],
  [
    'a kind that nothing is said about',
    { resource: { group: 'discovery.k8s.io', version: 'v1', resource: 'endpointslices' }, object: WEB({ spec: {} }) },
    false,
  ],
];
for (const [title, request, judged] of judgedReviews) {
  test(`${title} ${judged ? 'is judged' : 'is let through whatever it holds'}`, () => {
    const { review: asked } = readHints({}, { mediaType: 'application/json', json: review(request) }, RECEIPT);
    assert.equal(asked?.write !== undefined, judged);
  });
}
