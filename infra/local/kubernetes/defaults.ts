import { withDefaults as withDefinedDefaults } from '../../../shared/kubernetes/defaults.ts';
import { isKind } from '../../../shared/kubernetes/kinds.ts';
import type { Kind } from '../../../shared/kubernetes/resources.ts';
import {
  at,
  isArray,
  isObject,
  listAt,
  objectAt,
  textAt,
  withAt,
  without,
  type Json,
  type JsonObject,
} from './json.ts';
import { badRequest } from './status.ts';

/** Values that do not occur in the object yet. */
function fill(object: JsonObject, values: JsonObject): JsonObject {
  const absent = Object.entries(values).filter(([field]) => object[field] === undefined || object[field] === null);
  return { ...object, ...Object.fromEntries(absent) };
}

function mapList(object: JsonObject, path: readonly string[], change: (item: JsonObject) => JsonObject): JsonObject {
  const list = at(object, ...path);
  if (!isArray(list)) return object;
  return withAt(
    object,
    path,
    list.map((item): Json => (isObject(item) ? change(item) : item)),
  );
}

/** Cluster addresses from 10.96.0.0/12 and node ports: the next resourceVersion is unique, so it serves as allocator. */
function clusterAddress(sequence: number): string {
  const offset = (sequence % 0xf_fffd) + 2;
  return `10.${96 + (offset >> 16)}.${(offset >> 8) & 255}.${offset & 255}`;
}

function servicePort(type: string, sequence: number): (port: JsonObject) => JsonObject {
  let used = 0;
  return (port) => {
    const filled = fill(port, { protocol: 'TCP', targetPort: port['port'] ?? null });
    if (type !== 'NodePort' && type !== 'LoadBalancer') return filled;
    return fill(filled, { nodePort: 30_000 + ((sequence + used++) % 2768) });
  };
}

function service(object: JsonObject, previous: JsonObject | undefined, sequence: number): JsonObject {
  const spec = objectAt(object, 'spec');
  const type = textAt(spec, 'type') || 'ClusterIP';
  const common = { type, sessionAffinity: 'None' };
  const internal: JsonObject = {
    ...common,
    clusterIP: textAt(previous, 'spec', 'clusterIP') || clusterAddress(sequence),
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
    internalTrafficPolicy: 'Cluster',
  };
  const external: JsonObject =
    type === 'ClusterIP'
      ? {}
      : {
          externalTrafficPolicy: 'Cluster',
          ...(type === 'LoadBalancer' ? { allocateLoadBalancerNodePorts: true } : {}),
        };
  const filled = type === 'ExternalName' ? fill(spec, common) : fill(spec, { ...internal, ...external });
  const addresses = type === 'ExternalName' ? {} : { clusterIPs: [filled['clusterIP'] ?? ''] };
  const result = { ...object, spec: fill(filled, addresses) };
  return fill(mapList(result, ['spec', 'ports'], servicePort(type, sequence)), { status: { loadBalancer: {} } });
}

function endpointSlice(object: JsonObject): JsonObject {
  const filled = mapList(object, ['ports'], (port) => fill(port, { name: '', protocol: 'TCP' }));
  return fill(filled, { endpoints: [], ports: [] });
}

/** `stringData` becomes `data`. */
function secret(object: JsonObject): JsonObject {
  const text = Object.entries(objectAt(object, 'stringData')).map(([key, value]): [string, Json] => {
    if (typeof value !== 'string')
      throw badRequest(`Secret in version "v1" cannot be handled: stringData.${key} is not a string`);
    return [key, Buffer.from(value, 'utf8').toString('base64')];
  });
  const data = { ...objectAt(object, 'data'), ...Object.fromEntries(text) };
  const rest = without(object, 'stringData');
  return fill(Object.keys(data).length === 0 ? rest : { ...rest, data }, { type: 'Opaque' });
}

function namespace(object: JsonObject): JsonObject {
  const labelled = withAt(
    object,
    ['metadata', 'labels', 'kubernetes.io/metadata.name'],
    textAt(object, 'metadata', 'name'),
  );
  return fill(labelled, { spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } });
}

function webhooks(object: JsonObject): JsonObject {
  const defaults = {
    failurePolicy: 'Fail',
    matchPolicy: 'Equivalent',
    timeoutSeconds: 10,
    namespaceSelector: {},
    objectSelector: {},
  };
  return mapList(object, ['webhooks'], (webhook) =>
    mapList(fill(webhook, defaults), ['rules'], (rule) => fill(rule, { scope: '*' })),
  );
}

/** A definition is established as soon as it is stored. */
function definition(object: JsonObject, now: string): JsonObject {
  const kind = textAt(object, 'spec', 'names', 'kind');
  const spec = fill(objectAt(object, 'spec'), { conversion: { strategy: 'None' } });
  const names = fill(objectAt(spec, 'names'), { listKind: `${kind}List`, singular: kind.toLowerCase() });
  const stored = listAt(spec, 'versions').filter((version) => at(version, 'storage') === true);
  const condition = (type: string, reason: string, message: string): Json => ({
    type,
    status: 'True',
    reason,
    message,
    lastTransitionTime: now,
  });
  const status = {
    acceptedNames: names,
    storedVersions: stored.map((version) => textAt(version, 'name')),
    conditions: [
      condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
      condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
    ],
  };
  const known = at(object, 'status', 'conditions') !== undefined;
  return { ...object, spec: { ...spec, names }, status: known ? objectAt(object, 'status') : status };
}

/** What the definitions of Kong's and the Gateway API's kinds fill in, as real definitions are not needed here. */
function definedDefaults(kind: Kind, object: JsonObject): JsonObject {
  const filled: JsonObject = JSON.parse(JSON.stringify(withDefinedDefaults(kind, object)));
  return filled;
}

/**
 * The object with the defaults that the API server fills in for its kind.
 * `sequence` is the next resourceVersion, `now` an RFC 3339 time.
 */
export function withDefaults(
  kind: string,
  object: JsonObject,
  previous: JsonObject | undefined,
  sequence: number,
  now: string,
): JsonObject {
  switch (kind) {
    case 'Service':
      return service(object, previous, sequence);
    case 'EndpointSlice':
      return endpointSlice(object);
    case 'Secret':
      return secret(object);
    case 'Namespace':
      return namespace(object);
    case 'Ingress':
      return fill(object, { status: { loadBalancer: {} } });
    case 'ValidatingWebhookConfiguration':
      return webhooks(object);
    case 'CustomResourceDefinition':
      return definition(object, now);
    default:
      return isKind(kind) ? definedDefaults(kind, object) : object;
  }
}
