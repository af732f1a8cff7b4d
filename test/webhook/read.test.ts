import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../shared/errors.ts';
import type { Hint } from '../../shared/webhook/change.ts';
import { type Sender, readHints } from '../../shared/webhook/read.ts';
import { OBJECT, RECEIPT, auditEvent, auditList, cloudEventHeaders, review, structured } from './payloads.ts';

const JSON_TYPE = 'application/json';
const STRUCTURED = 'application/cloudevents+json';
const BATCH = 'application/cloudevents-batch+json';

const WEB = {
  cluster: 'prod',
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  namespace: 'shop',
  name: 'web',
};
const KONG = { cluster: 'prod', group: '', version: 'v1', kind: 'IngressClass', namespace: '', name: 'kong' };

interface Case {
  readonly title: string;
  readonly mediaType?: string;
  readonly headers?: Record<string, string>;
  readonly body: unknown;
  readonly sender: Sender;
  readonly hints: readonly Hint[];
}

const ADMISSION = { observedAt: RECEIPT.receivedAt, uid: 'uid-web' };
const AUDIT = { observedAt: '2026-11-23T02:00:00.010000Z', uid: 'uid-web' };
const EVENT = { observedAt: '2026-11-23T02:00:00Z', uid: 'uid-web' };
const nameless = { ...OBJECT, metadata: { generateName: 'web-' } };

const admission: readonly (readonly [title: string, request: object, hint: Hint])[] = [
  ['an update', {}, { change: { ref: WEB, operation: 'update', previousResourceVersion: '7', ...ADMISSION } }],
  ['a create', { operation: 'CREATE', oldObject: null }, { change: { ref: WEB, operation: 'create', ...ADMISSION } }],
  [
    'a delete',
    { operation: 'DELETE', object: null },
    { change: { ref: WEB, operation: 'delete', previousResourceVersion: '7', ...ADMISSION } },
  ],
  [
    'a delete out of a collection, whose name only the object has',
    { operation: 'DELETE', object: null, name: '' },
    { change: { ref: WEB, operation: 'delete', previousResourceVersion: '7', ...ADMISSION } },
  ],
  [
    'a create with generateName',
    { operation: 'CREATE', name: '', oldObject: null },
    { change: { ref: WEB, operation: 'create', ...ADMISSION } },
  ],
  [
    'a create whose name is not made yet',
    { operation: 'CREATE', name: '', object: nameless, oldObject: null },
    { ignored: 'Nameless' },
  ],
  [
    'another version of the group',
    { resource: { group: 'networking.k8s.io', version: 'v1beta1', resource: 'ingresses' } },
    { change: { ref: WEB, operation: 'update', previousResourceVersion: '7', ...ADMISSION } },
  ],
  ['a dry run', { dryRun: true }, { ignored: 'DryRun' }],
  ['a status write', { subResource: 'status' }, { ignored: 'Subresource' }],
  ['a connect', { operation: 'CONNECT' }, { ignored: 'NotAWrite' }],
  ['an own write', { userInfo: { username: 'functions' } }, { ignored: 'OwnWrite' }],
  ['another kind', { resource: { group: '', version: 'v1', resource: 'pods' } }, { ignored: 'OtherKind' }],
  [
    'the plural of a known kind in another group',
    { resource: { group: 'extensions', version: 'v1beta1', resource: 'ingresses' } },
    { ignored: 'OtherKind' },
  ],
];

function toCase(title: string, body: unknown, sender: Sender, ...hints: readonly Hint[]): Case {
  return { title, body, sender, hints };
}

const reviews = admission.map(([title, request, hint]) =>
  toCase(`admission: ${title}`, review(request), 'admission', hint),
);

const updated: Hint = { change: { ref: WEB, operation: 'update', resourceVersion: '8', ...AUDIT } };
const asked: Hint = { reconcile: { cluster: 'prod', reason: 'DeleteCollection', observedAt: AUDIT.observedAt } };

const audit: readonly Case[] = [
  toCase('audit: a patch', auditList(auditEvent()), 'audit', updated),
  toCase('audit: a single event', auditEvent(), 'audit', updated),
  toCase('audit: no events', auditList(), 'audit'),
  toCase('audit: an update', auditEvent({ verb: 'update' }), 'audit', updated),
  toCase('audit: a create', auditEvent({ verb: 'create', responseStatus: { code: 201 } }), 'audit', {
    change: { ref: WEB, operation: 'create', resourceVersion: '8', ...AUDIT },
  }),
  toCase('audit: a delete', auditEvent({ verb: 'delete' }), 'audit', {
    change: { ref: WEB, operation: 'delete', ...AUDIT },
  }),
  toCase('audit: level Metadata has no object', auditEvent({ responseObject: undefined, level: 'Metadata' }), 'audit', {
    change: { ref: WEB, operation: 'update', ...AUDIT },
  }),
  toCase(
    'audit: a generated name comes with the answer',
    auditEvent({ verb: 'create' }, { name: undefined, uid: undefined }),
    'audit',
    {
      change: { ref: WEB, operation: 'create', resourceVersion: '8', ...AUDIT },
    },
  ),
  toCase(
    'audit: a generated name at level Metadata',
    auditEvent({ verb: 'create', responseObject: undefined }, { name: undefined }),
    'audit',
    {
      ignored: 'Nameless',
    },
  ),
  toCase(
    'audit: the core group has no apiGroup',
    auditEvent({}, { resource: 'services', apiGroup: undefined }),
    'audit',
    {
      change: { ref: { ...WEB, group: '', kind: 'Service' }, operation: 'update', resourceVersion: '8', ...AUDIT },
    },
  ),
  toCase(
    'audit: a cluster-scoped kind',
    auditEvent({}, { resource: 'ingressclasses', name: 'kong', namespace: undefined }),
    'audit',
    {
      change: { ref: { ...KONG, group: 'networking.k8s.io' }, operation: 'update', resourceVersion: '8', ...AUDIT },
    },
  ),
  toCase(
    'audit: reads',
    auditList(auditEvent({ verb: 'get' }), auditEvent({ verb: 'watch' })),
    'audit',
    { ignored: 'NotAWrite' },
    { ignored: 'NotAWrite' },
  ),
  toCase('audit: no object', auditEvent({ objectRef: undefined }), 'audit', { ignored: 'NotAWrite' }),
  toCase('audit: an earlier stage', auditEvent({ stage: 'RequestReceived' }), 'audit', { ignored: 'NotAWrite' }),
  toCase('audit: a rejected write', auditEvent({ responseStatus: { code: 409 } }), 'audit', { ignored: 'Failed' }),
  toCase('audit: no status', auditEvent({ responseStatus: undefined }), 'audit', { ignored: 'Failed' }),
  toCase('audit: a status write', auditEvent({}, { subresource: 'status' }), 'audit', { ignored: 'Subresource' }),
  toCase('audit: a dry run', auditEvent({ requestURI: '/apis/x?dryRun=All&fieldManager=kubectl' }), 'audit', {
    ignored: 'DryRun',
  }),
  toCase('audit: an own write', auditEvent({ user: { username: 'functions' } }), 'audit', { ignored: 'OwnWrite' }),
  toCase(
    'audit: another kind with a name of its own rules',
    auditEvent({}, { resource: 'clusterroles', name: 'system:Node' }),
    'audit',
    {
      ignored: 'OtherKind',
    },
  ),
  toCase(
    'audit: a collection that names what it deleted',
    auditEvent(
      { verb: 'deletecollection', responseObject: { kind: 'IngressList', items: [OBJECT] } },
      { name: undefined },
    ),
    'audit',
    { change: { ref: WEB, operation: 'delete', ...AUDIT } },
  ),
  toCase(
    'audit: a collection that does not',
    auditEvent({ verb: 'deletecollection', responseObject: { kind: 'Status' } }),
    'audit',
    asked,
  ),
  toCase(
    'audit: a collection at level Metadata',
    auditEvent({ verb: 'deletecollection', responseObject: undefined }),
    'audit',
    asked,
  ),
  toCase(
    'audit: a collection that deleted nothing',
    auditEvent({ verb: 'deletecollection', responseObject: { items: [] } }),
    'audit',
  ),
  toCase('audit: without a usable time', auditEvent({ stageTimestamp: 'yesterday' }), 'audit', {
    change: { ref: WEB, operation: 'update', resourceVersion: '8', ...ADMISSION },
  }),
];

const seen: Hint = { change: { ref: WEB, operation: 'update', resourceVersion: '7', ...EVENT } };
const reference = { kind: 'Ingress', namespace: 'shop', name: 'web', apiVersion: 'networking.k8s.io/v1' };
const added: Hint = { change: { ref: WEB, operation: 'create', observedAt: EVENT.observedAt } };

const cloudEvents: readonly Case[] = [
  { ...toCase('CloudEvent: binary', OBJECT, 'cloudevents', seen), headers: cloudEventHeaders() },
  {
    ...toCase('CloudEvent: binary reference', reference, 'cloudevents', added),
    headers: cloudEventHeaders('dev.knative.apiserver.ref.add'),
  },
  { ...toCase('CloudEvent: structured', structured(), 'cloudevents', seen), mediaType: STRUCTURED },
  {
    ...toCase(
      'CloudEvent: structured, data in base64',
      structured({ data: undefined, data_base64: Buffer.from(JSON.stringify(OBJECT)).toString('base64') }),
      'cloudevents',
      seen,
    ),
    mediaType: STRUCTURED,
  },
  {
    ...toCase('CloudEvent: a delete', structured({ type: 'dev.knative.apiserver.resource.delete' }), 'cloudevents', {
      change: { ref: WEB, operation: 'delete', ...EVENT },
    }),
    mediaType: STRUCTURED,
  },
  {
    ...toCase(
      'CloudEvent: another version',
      structured({ data: { ...OBJECT, apiVersion: 'networking.k8s.io/v1beta1' } }),
      'cloudevents',
      seen,
    ),
    mediaType: STRUCTURED,
  },
  {
    ...toCase(
      'CloudEvent: another kind',
      structured({ data: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' } } }),
      'cloudevents',
      {
        ignored: 'OtherKind',
      },
    ),
    mediaType: STRUCTURED,
  },
  {
    ...toCase(
      'CloudEvent: a Knative Service is no Service',
      structured({ data: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', metadata: { name: 'x' } } }),
      'cloudevents',
      {
        ignored: 'OtherKind',
      },
    ),
    mediaType: STRUCTURED,
  },
  { ...toCase('CloudEvent: a batch', [structured(), structured()], 'cloudevents', seen, seen), mediaType: BATCH },
  { ...toCase('CloudEvent: an empty batch', [], 'cloudevents'), mediaType: BATCH },
];

for (const { title, mediaType = JSON_TYPE, headers = {}, body, sender, hints } of [
  ...reviews,
  ...audit,
  ...cloudEvents,
]) {
  test(`reads ${title}`, () => {
    const reading = readHints(headers, { mediaType, json: JSON.parse(JSON.stringify(body)) }, RECEIPT);
    assert.equal(reading.sender, sender);
    assert.deepEqual(reading.hints, hints);
    assert.equal(reading.review !== undefined, sender === 'admission');
  });
}

const BINARY = cloudEventHeaders();
const LONG = 'x'.repeat(600);

const bad: readonly [
  title: string,
  mediaType: string,
  headers: Record<string, string>,
  body: unknown,
  message: RegExp,
][] = [
  ['nothing known', JSON_TYPE, {}, { hello: 'world' }, /the body is not an AdmissionReview/],
  ['a list', JSON_TYPE, {}, [], /the body is not an object/],
  ['null', JSON_TYPE, {}, null, /the body is not an object/],
  ['a number', JSON_TYPE, {}, 7, /the body is not an object/],
  ['an older review', JSON_TYPE, {}, { ...review(), apiVersion: 'admission.k8s.io/v1beta1' }, /the body is not/],
  ['a review without request', JSON_TYPE, {}, { ...review(), request: undefined }, /^request is not an object/],
  [
    'a review that is an answer',
    JSON_TYPE,
    {},
    { ...review(), request: null, response: {} },
    /^request is not an object/,
  ],
  ['a review without uid', JSON_TYPE, {}, review({ uid: '' }), /^request.uid is not a text/],
  ['a review whose uid is a number', JSON_TYPE, {}, review({ uid: 7 }), /^request.uid is not a text/],
  ['a review without resource', JSON_TYPE, {}, review({ resource: undefined }), /^request.resource is not an object/],
  [
    'a review with a list as resource',
    JSON_TYPE,
    {},
    review({ resource: ['ingresses'] }),
    /^request.resource is not an object/,
  ],
  [
    'a review with a name that leaves the path',
    JSON_TYPE,
    {},
    review({ name: '../secrets' }),
    /^request.name is not a Kubernetes name/,
  ],
  ['a review with a number as namespace', JSON_TYPE, {}, review({ namespace: 1 }), /^request.namespace is not a text/],
  ['a review with a huge name', JSON_TYPE, {}, review({ name: LONG }), /^request.name is not a text of at most/],
  ['a review whose object is text', JSON_TYPE, {}, review({ object: 'x' }), /^request.object is not an object/],
  [
    'a review whose metadata is a list',
    JSON_TYPE,
    {},
    review({ object: { metadata: [] } }),
    /metadata is not an object/,
  ],
  ['events that are no list', JSON_TYPE, {}, { ...auditList(), items: {} }, /^EventList.items is not a list/],
  ['events without items', JSON_TYPE, {}, { ...auditList(), items: undefined }, /^EventList.items is not a list/],
  ['an event that is text', JSON_TYPE, {}, auditList(auditEvent(), 'x'), /^items\[1\] is not an object/],
  [
    'an event whose verb is a list',
    JSON_TYPE,
    {},
    auditList(auditEvent({ verb: ['patch'] })),
    /^items\[0\].verb is not a text/,
  ],
  [
    'an event whose reference is text',
    JSON_TYPE,
    {},
    auditList(auditEvent({ objectRef: 'web' })),
    /^items\[0\].objectRef is not/,
  ],
  [
    'an event whose name is an object',
    JSON_TYPE,
    {},
    auditList(auditEvent({}, { name: {} })),
    /^items\[0\].objectRef.name is not/,
  ],
  ['an event of another API', JSON_TYPE, {}, auditEvent({ apiVersion: 'v1' }), /the body is not/],
  [
    'a CloudEvent of another source',
    STRUCTURED,
    {},
    structured({ type: 'com.github.push' }),
    /type is not an event type/,
  ],
  ['a CloudEvent of another version', STRUCTURED, {}, structured({ specversion: '0.3' }), /specversion is not 1.0/],
  ['a CloudEvent without data', STRUCTURED, {}, structured({ data: undefined }), /data is not an object/],
  [
    'a CloudEvent with broken base64',
    STRUCTURED,
    {},
    structured({ data_base64: '%%%' }),
    /data_base64 is not an object/,
  ],
  ['a structured list', STRUCTURED, {}, [structured()], /the CloudEvent is not an object/],
  ['a batch that is no list', BATCH, {}, structured(), /the batch is not a list/],
  ['a batch with a bad event', BATCH, {}, [structured(), structured({ type: 'x' })], /^\[1\].type is not/],
  ['a binary CloudEvent with text', JSON_TYPE, BINARY, 'x', /the body is not an object/],
  ['a binary CloudEvent without type', JSON_TYPE, { 'ce-specversion': '1.0' }, OBJECT, /type is not an event type/],
];

for (const [title, mediaType, headers, body, message] of bad) {
  test(`refuses ${title}`, () => {
    assert.throws(
      () =>
        readHints(
          headers,
          { mediaType, json: body === undefined ? undefined : JSON.parse(JSON.stringify(body)) },
          RECEIPT,
        ),
      (error) => error instanceof AppError && error.code === 'WEBHOOK_UNKNOWN_SHAPE' && message.test(error.message),
    );
  });
}
