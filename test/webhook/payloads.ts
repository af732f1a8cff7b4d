/** Bodies as the senders make them, with what a test wants to vary. */

export const RECEIPT = { cluster: 'prod', receivedAt: '2026-11-23T02:00:05.000Z', ownUsers: ['functions'] };

const INGRESS = { group: 'networking.k8s.io', version: 'v1', kind: 'Ingress' };
const INGRESSES = { group: 'networking.k8s.io', version: 'v1', resource: 'ingresses' };

function ingress(resourceVersion: string | undefined): object {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name: 'web',
      namespace: 'shop',
      uid: 'uid-web',
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    spec: { rules: [{ host: 'shop.example' }] },
  };
}

/** An AdmissionReview v1 of an updated Ingress. */
export function review(request: object = {}): Record<string, unknown> {
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
      kind: INGRESS,
      resource: INGRESSES,
      requestKind: INGRESS,
      requestResource: INGRESSES,
      name: 'web',
      namespace: 'shop',
      operation: 'UPDATE',
      userInfo: { username: 'alice', uid: '014fbff9', groups: ['system:authenticated'] },
      object: ingress('7'),
      oldObject: ingress('7'),
      options: { apiVersion: 'meta.k8s.io/v1', kind: 'UpdateOptions' },
      dryRun: false,
      ...request,
    },
  };
}

export const OBJECT = ingress('7');

/** An audit event of a patched Ingress at level RequestResponse. */
export function auditEvent(event: object = {}, objectRef: object = {}): Record<string, unknown> {
  return {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'RequestResponse',
    auditID: '5b0c5b1e-0000-4000-8000-000000000000',
    stage: 'ResponseComplete',
    requestURI: '/apis/networking.k8s.io/v1/namespaces/shop/ingresses/web?fieldManager=kubectl',
    verb: 'patch',
    user: { username: 'alice', groups: ['system:authenticated'] },
    sourceIPs: ['10.0.0.1'],
    userAgent: 'kubectl/v1.33',
    objectRef: {
      resource: 'ingresses',
      namespace: 'shop',
      name: 'web',
      uid: 'uid-web',
      apiGroup: 'networking.k8s.io',
      apiVersion: 'v1',
      resourceVersion: '7',
      ...objectRef,
    },
    responseStatus: { metadata: {}, code: 200 },
    requestObject: { spec: {} },
    responseObject: ingress('8'),
    requestReceivedTimestamp: '2026-11-23T02:00:00.000000Z',
    stageTimestamp: '2026-11-23T02:00:00.010000Z',
    annotations: { 'authorization.k8s.io/decision': 'allow' },
    ...event,
  };
}

export function auditList(...items: readonly unknown[]): Record<string, unknown> {
  return { kind: 'EventList', apiVersion: 'audit.k8s.io/v1', metadata: {}, items };
}

/** Headers of an ApiServerSource event in binary mode. */
export function cloudEventHeaders(type = 'dev.knative.apiserver.resource.update'): Record<string, string> {
  return {
    'ce-specversion': '1.0',
    'ce-id': '8a0b',
    'ce-time': '2026-11-23T02:00:00Z',
    'ce-type': type,
    'ce-source': 'https://10.96.0.1:443',
    'ce-subject': '/apis/networking.k8s.io/v1/namespaces/shop/ingresss/web',
    'content-type': 'application/json',
  };
}

/** The same event in structured mode. */
export function structured(event: object = {}): Record<string, unknown> {
  return {
    specversion: '1.0',
    id: '8a0b',
    type: 'dev.knative.apiserver.resource.update',
    source: 'https://10.96.0.1:443',
    subject: '/apis/networking.k8s.io/v1/namespaces/shop/ingresss/web',
    time: '2026-11-23T02:00:00Z',
    datacontenttype: 'application/json',
    data: OBJECT,
    ...event,
  };
}
