import { at, equal, isObject, listAt, text, textAt, type Json, type JsonObject } from './json.ts';
import { metadataProblems, missing, unsupported, wrong } from './metadata.ts';
import type { Resource } from './resources.ts';
import type { Cause } from './status.ts';

type Validator = (object: JsonObject, previous: JsonObject | undefined) => readonly Cause[];

const HOST = /^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;
const ADDRESS = /^\d+\.\d+\.\d+\.\d+$/;
const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix'];
const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];

function when(problem: boolean, cause: Cause): readonly Cause[] {
  return problem ? [cause] : [];
}

function oneOf(field: string, value: string, supported: readonly string[]): readonly Cause[] {
  if (value === '') return [missing(field)];
  return when(!supported.includes(value), unsupported(field, value, supported));
}

function port(field: string, value: Json | undefined): readonly Cause[] {
  if (value === undefined) return [missing(field)];
  const good = typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535;
  return when(!good, wrong(field, `Invalid value: ${JSON.stringify(value)}: must be between 1 and 65535, inclusive`));
}

function immutable(field: string, now: Json | undefined, before: Json | undefined): readonly Cause[] {
  if (before === undefined || equal(now, before)) return [];
  return [wrong(field, `Invalid value: ${JSON.stringify(now ?? null)}: field is immutable`)];
}

function backend(value: Json | undefined, field: string): readonly Cause[] {
  const service = at(value, 'service');
  const resource = at(value, 'resource');
  if ((service === undefined) === (resource === undefined)) {
    return [wrong(field, 'Invalid value: exactly one of service and resource must be given')];
  }
  if (service === undefined) return [];
  const number = at(service, 'port', 'number');
  const name = textAt(service, 'port', 'name');
  return [
    ...when(textAt(service, 'name') === '', missing(`${field}.service.name`)),
    ...when(
      number === undefined && name === '',
      missing(`${field}.service`, 'Required value: port name or number is required'),
    ),
    ...when(
      number !== undefined && name !== '',
      wrong(`${field}.service`, 'Invalid value: cannot set both port name & port number'),
    ),
    ...(number === undefined ? [] : port(`${field}.service.port.number`, number)),
  ];
}

function ingressPath(value: Json, field: string): readonly Cause[] {
  const path = textAt(value, 'path');
  const type = textAt(value, 'pathType');
  const strict = type === 'Exact' || type === 'Prefix';
  return [
    ...oneOf(`${field}.pathType`, type, PATH_TYPES).map((cause) =>
      type === '' ? missing(`${field}.pathType`, 'Required value: pathType must be specified') : cause,
    ),
    ...when(
      (strict || path !== '') && !path.startsWith('/'),
      wrong(`${field}.path`, `Invalid value: ${JSON.stringify(path)}: must be an absolute path`),
    ),
    ...when(
      strict && /\/\/|\/\.\.?(\/|$)|%2f/i.test(path),
      wrong(`${field}.path`, `Invalid value: ${JSON.stringify(path)}: must not contain '//', '/./', '/../' or '%2f'`),
    ),
    ...backend(at(value, 'backend'), `${field}.backend`),
  ];
}

function host(value: string, field: string): readonly Cause[] {
  if (value === '') return [];
  const bad = !HOST.test(value) || ADDRESS.test(value);
  return when(
    bad,
    wrong(
      field,
      `Invalid value: ${JSON.stringify(value)}: must be a DNS name (*. at its beginning at most), not an IP address`,
    ),
  );
}

const ingress: Validator = (object) => {
  const rules = listAt(object, 'spec', 'rules');
  const fallback = at(object, 'spec', 'defaultBackend');
  const none = rules.length === 0 && fallback === undefined;
  return [
    ...when(none, wrong('spec', 'Invalid value: either `defaultBackend` or `rules` must be specified')),
    ...(fallback === undefined ? [] : backend(fallback, 'spec.defaultBackend')),
    ...rules.flatMap((rule, index) => [
      ...host(textAt(rule, 'host'), `spec.rules[${index}].host`),
      ...listAt(rule, 'http', 'paths').flatMap((path, n) => ingressPath(path, `spec.rules[${index}].http.paths[${n}]`)),
      ...when(
        at(rule, 'http') !== undefined && listAt(rule, 'http', 'paths').length === 0,
        missing(`spec.rules[${index}].http.paths`),
      ),
    ]),
    ...listAt(object, 'spec', 'tls').flatMap((tls, index) =>
      listAt(tls, 'hosts').flatMap((name, n) => host(text(name), `spec.tls[${index}].hosts[${n}]`)),
    ),
  ];
};

function servicePorts(object: JsonObject): readonly Cause[] {
  const ports = listAt(object, 'spec', 'ports');
  const names = ports.map((item) => textAt(item, 'name'));
  return ports.flatMap((item, index) => {
    const field = `spec.ports[${index}]`;
    const name = names[index] ?? '';
    const target = at(item, 'targetPort');
    return [
      ...port(`${field}.port`, at(item, 'port')),
      ...oneOf(`${field}.protocol`, textAt(item, 'protocol'), PROTOCOLS),
      ...(typeof target === 'number' ? port(`${field}.targetPort`, target) : []),
      ...when(ports.length > 1 && name === '', missing(`${field}.name`)),
      ...when(name !== '' && names.indexOf(name) !== index, {
        reason: 'FieldValueDuplicate',
        field: `${field}.name`,
        message: `Duplicate value: ${JSON.stringify(name)}`,
      }),
    ];
  });
}

const service: Validator = (object, previous) => {
  const type = textAt(object, 'spec', 'type');
  const external = type === 'ExternalName';
  const headless = textAt(object, 'spec', 'clusterIP') === 'None';
  const stays = !external && textAt(previous, 'spec', 'clusterIP') !== '';
  return [
    ...oneOf('spec.type', type, ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']),
    ...when(external && textAt(object, 'spec', 'externalName') === '', missing('spec.externalName')),
    ...when(!external && !headless && listAt(object, 'spec', 'ports').length === 0, missing('spec.ports')),
    ...servicePorts(object),
    ...(stays ? immutable('spec.clusterIP', at(object, 'spec', 'clusterIP'), at(previous, 'spec', 'clusterIP')) : []),
  ];
};

const endpointSlice: Validator = (object, previous) => [
  ...oneOf('addressType', textAt(object, 'addressType'), ['FQDN', 'IPv4', 'IPv6']),
  ...immutable('addressType', at(object, 'addressType'), at(previous, 'addressType')),
  ...when(listAt(object, 'endpoints').length > 1000, {
    reason: 'FieldValueTooMany',
    field: 'endpoints',
    message: 'Too many: must have at most 1000 items',
  }),
  ...listAt(object, 'endpoints').flatMap((endpoint, index) =>
    when(
      listAt(endpoint, 'addresses').length === 0,
      missing(`endpoints[${index}].addresses`, 'Required value: must contain at least 1 address'),
    ),
  ),
  ...listAt(object, 'ports').flatMap((item, index) =>
    oneOf(`ports[${index}].protocol`, textAt(item, 'protocol'), PROTOCOLS),
  ),
];

const BASE64 = /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const secret: Validator = (object, previous) => {
  const data = at(object, 'data');
  const tls = textAt(object, 'type') === 'kubernetes.io/tls';
  return [
    ...immutable('type', at(object, 'type'), at(previous, 'type')),
    ...Object.entries(isObject(data) ? data : {}).flatMap(([key, value]) =>
      when(
        typeof value !== 'string' || !BASE64.test(value),
        wrong(`data[${key}]`, 'Invalid value: illegal base64 data'),
      ),
    ),
    ...(tls ? ['tls.crt', 'tls.key'].flatMap((key) => when(at(data, key) === undefined, missing(`data[${key}]`))) : []),
    ...when(at(previous, 'immutable') === true && !equal(data, at(previous, 'data')), {
      reason: 'FieldValueForbidden',
      field: 'data',
      message: 'Forbidden: field is immutable when `immutable` is set',
    }),
  ];
};

const ingressClass: Validator = (object, previous) => [
  ...when(textAt(object, 'spec', 'controller') === '', missing('spec.controller')),
  ...immutable('spec.controller', at(object, 'spec', 'controller'), at(previous, 'spec', 'controller')),
];

const definition: Validator = (object) => {
  const plural = textAt(object, 'spec', 'names', 'plural');
  const name = `${plural}.${textAt(object, 'spec', 'group')}`;
  const stored = listAt(object, 'spec', 'versions').filter((version) => at(version, 'storage') === true);
  return [
    ...when(plural === '', missing('spec.names.plural')),
    ...when(textAt(object, 'spec', 'names', 'kind') === '', missing('spec.names.kind')),
    ...oneOf('spec.scope', textAt(object, 'spec', 'scope'), ['Cluster', 'Namespaced']),
    ...when(
      textAt(object, 'metadata', 'name') !== name,
      wrong('metadata.name', `Invalid value: must be spec.names.plural+"."+spec.group`),
    ),
    ...when(
      stored.length !== 1,
      wrong('spec.versions', 'Invalid value: must have exactly one version marked as storage version'),
    ),
  ];
};

const webhookConfiguration: Validator = (object) =>
  listAt(object, 'webhooks').flatMap((webhook, index) => [
    ...when(textAt(webhook, 'name') === '', missing(`webhooks[${index}].name`)),
    ...when(
      URL.parse(textAt(webhook, 'clientConfig', 'url')) === null,
      missing(
        `webhooks[${index}].clientConfig`,
        'Required value: this stand-in calls webhooks by clientConfig.url alone',
      ),
    ),
  ]);

const VALIDATORS: Readonly<Record<string, Validator>> = {
  Ingress: ingress,
  IngressClass: ingressClass,
  Service: service,
  EndpointSlice: endpointSlice,
  Secret: secret,
  CustomResourceDefinition: definition,
  ValidatingWebhookConfiguration: webhookConfiguration,
};

/** What is wrong with an object (after defaults), as the API server would say it; `previous` is what it replaces. */
export function problems(resource: Resource, object: JsonObject, previous: JsonObject | undefined): readonly Cause[] {
  const validator = resource.custom ? undefined : VALIDATORS[resource.kind];
  return [...metadataProblems(resource, object), ...(validator?.(object, previous) ?? [])];
}
