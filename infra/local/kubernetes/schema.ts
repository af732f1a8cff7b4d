import type { Call } from './call.ts';
import { isArray, isObject, type Json, type JsonObject } from './json.ts';
import { badRequest } from './status.ts';

/** The fields of an object: `*` is anything, a list is the shape of every item, `{ '*': … }` a map with any keys. */
type Shape = '*' | readonly [Shape] | { readonly [field: string]: Shape };

const namesOf = (names: string): Readonly<Record<string, Shape>> =>
  Object.fromEntries(names.split(' ').map((field): [string, Shape] => [field, '*']));

const METADATA: Shape = namesOf(
  'name generateName namespace selfLink uid resourceVersion generation creationTimestamp deletionTimestamp ' +
    'deletionGracePeriodSeconds labels annotations ownerReferences finalizers managedFields',
);
const REF = namesOf('apiGroup kind name');
const BACKEND: Shape = { service: { name: '*', port: namesOf('name number') }, resource: REF };
const LOAD_BALANCER: Shape = {
  ingress: [{ ...namesOf('ip ipMode hostname'), ports: [namesOf('port protocol error')] }],
};
const PORTS: Shape = [namesOf('name port protocol appProtocol')];

/** The kinds that people write for Kong. Other kinds take any field, as custom resources without a schema do. */
const SHAPES: Readonly<Record<string, Readonly<Record<string, Shape>>>> = {
  Ingress: {
    spec: {
      ingressClassName: '*',
      defaultBackend: BACKEND,
      tls: [namesOf('hosts secretName')],
      rules: [{ host: '*', http: { paths: [{ ...namesOf('path pathType'), backend: BACKEND }] } }],
    },
    status: { loadBalancer: LOAD_BALANCER },
  },
  IngressClass: { spec: { controller: '*', parameters: namesOf('apiGroup kind name namespace scope') } },
  Service: {
    spec: {
      ...namesOf(
        'selector clusterIP clusterIPs type externalIPs sessionAffinity loadBalancerIP loadBalancerSourceRanges ' +
          'externalName externalTrafficPolicy healthCheckNodePort publishNotReadyAddresses sessionAffinityConfig ' +
          'ipFamilies ipFamilyPolicy allocateLoadBalancerNodePorts loadBalancerClass internalTrafficPolicy trafficDistribution',
      ),
      ports: [namesOf('name protocol appProtocol port targetPort nodePort')],
    },
    status: { loadBalancer: LOAD_BALANCER, conditions: '*' },
  },
  EndpointSlice: {
    addressType: '*',
    endpoints: [
      {
        ...namesOf('addresses hostname targetRef deprecatedTopology nodeName zone hints'),
        conditions: namesOf('ready serving terminating'),
      },
    ],
    ports: PORTS,
  },
  Secret: namesOf('immutable data stringData type'),
  ConfigMap: namesOf('immutable data binaryData'),
  Namespace: { spec: namesOf('finalizers'), status: namesOf('phase conditions') },
};

interface Pruned {
  readonly value: Json;
  readonly unknown: readonly string[];
}

function pruneFields(value: JsonObject, shape: Readonly<Record<string, Shape>>, path: string): Pruned {
  const fields: [string, Json][] = [];
  const unknown: string[] = [];
  for (const [field, item] of Object.entries(value)) {
    const below = shape[field];
    const here = path === '' ? field : `${path}.${field}`;
    if (below === undefined) {
      unknown.push(here);
      continue;
    }
    const pruned = prune(item, below, here);
    fields.push([field, pruned.value]);
    unknown.push(...pruned.unknown);
  }
  return unknown.length === 0 ? { value, unknown } : { value: Object.fromEntries(fields), unknown };
}

function isItemShape(shape: Shape): shape is readonly [Shape] {
  return Array.isArray(shape);
}

function prune(value: Json, shape: Shape, path: string): Pruned {
  if (shape === '*') return { value, unknown: [] };
  if (isItemShape(shape)) {
    if (!isArray(value)) return { value, unknown: [] };
    const items = value.map((item, index) => prune(item, shape[0], `${path}[${index}]`));
    const unknown = items.flatMap((item) => item.unknown);
    return unknown.length === 0 ? { value, unknown } : { value: items.map((item) => item.value), unknown };
  }
  return isObject(value) ? pruneFields(value, shape, path) : { value, unknown: [] };
}

/**
 * Drops the fields that a built-in kind does not have, as the API server does; `fieldValidation=Strict` refuses them
 * (400) and `Warn`, the default, warns.
 */
export function checkFields(call: Call, object: JsonObject): JsonObject {
  const known = call.resource.custom ? undefined : SHAPES[call.resource.kind];
  if (known === undefined) return object;
  const shape = { apiVersion: '*', kind: '*', metadata: METADATA, ...known } as const;
  const { value, unknown } = pruneFields(object, shape, '');
  if (unknown.length === 0) return object;
  const texts = unknown.map((field) => `unknown field ${JSON.stringify(field)}`);
  const mode = call.query.get('fieldValidation') ?? 'Warn';
  if (mode === 'Strict') {
    const kind = call.resource.kind;
    throw badRequest(
      `${kind} in version ${JSON.stringify(call.path.version)} cannot be handled as a ${kind}: strict decoding error: ${texts.join(', ')}`,
    );
  }
  if (mode === 'Warn') call.warnings.push(...texts);
  return isObject(value) ? value : object;
}
