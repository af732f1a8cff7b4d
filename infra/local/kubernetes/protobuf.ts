import { isObject, text, type Json, type JsonObject } from './json.ts';
import { badRequest, unsupportedMediaType } from './status.ts';

/**
 * How a protobuf field becomes JSON. `text`, `number` and `boolean` are scalars, `bytes` becomes base64, `texts` is a
 * list; a `map` has strings as keys, a message is its fields, and `inline` puts a message's fields into its parent.
 */
type Type =
  | 'text'
  | 'number'
  | 'boolean'
  | 'bytes'
  | 'texts'
  | 'ignored'
  | 'intOrString'
  | { readonly map: 'text' | 'bytes' }
  | { readonly message: Message }
  | { readonly list: Message }
  | { readonly inline: Message };

/** Field number → name and type. */
type Message = Readonly<Record<number, readonly [name: string, type: Type]>>;

const STRINGS: Type = { map: 'text' };
const BYTES: Type = { map: 'bytes' };
const OWNER: Message = {
  1: ['kind', 'text'],
  3: ['name', 'text'],
  4: ['uid', 'text'],
  5: ['apiVersion', 'text'],
  6: ['controller', 'boolean'],
  7: ['blockOwnerDeletion', 'boolean'],
};
const METADATA: Message = {
  1: ['name', 'text'],
  2: ['generateName', 'text'],
  3: ['namespace', 'text'],
  5: ['uid', 'text'],
  6: ['resourceVersion', 'text'],
  7: ['generation', 'number'],
  11: ['labels', STRINGS],
  12: ['annotations', STRINGS],
  13: ['ownerReferences', { list: OWNER }],
  14: ['finalizers', 'texts'],
};
const OBJECT: Message = { 1: ['metadata', { message: METADATA }] };

const SERVICE_PORT: Message = {
  1: ['name', 'text'],
  2: ['protocol', 'text'],
  3: ['port', 'number'],
  4: ['targetPort', 'intOrString'],
  5: ['nodePort', 'number'],
  6: ['appProtocol', 'text'],
};
const SERVICE_SPEC: Message = {
  1: ['ports', { list: SERVICE_PORT }],
  2: ['selector', STRINGS],
  3: ['clusterIP', 'text'],
  4: ['type', 'text'],
  5: ['externalIPs', 'texts'],
  7: ['sessionAffinity', 'text'],
  8: ['loadBalancerIP', 'text'],
  9: ['loadBalancerSourceRanges', 'texts'],
  10: ['externalName', 'text'],
  11: ['externalTrafficPolicy', 'text'],
  12: ['healthCheckNodePort', 'number'],
  13: ['publishNotReadyAddresses', 'boolean'],
  17: ['ipFamilyPolicy', 'text'],
  18: ['clusterIPs', 'texts'],
  19: ['ipFamilies', 'texts'],
  20: ['allocateLoadBalancerNodePorts', 'boolean'],
  21: ['loadBalancerClass', 'text'],
  22: ['internalTrafficPolicy', 'text'],
};

const REFERENCE: Message = { 1: ['apiGroup', 'text'], 2: ['kind', 'text'], 3: ['name', 'text'] };
const BACKEND_SERVICE: Message = {
  1: ['name', 'text'],
  2: ['port', { message: { 1: ['name', 'text'], 2: ['number', 'number'] } }],
};
const BACKEND: Message = { 3: ['resource', { message: REFERENCE }], 4: ['service', { message: BACKEND_SERVICE }] };
const INGRESS_PATH: Message = { 1: ['path', 'text'], 2: ['backend', { message: BACKEND }], 3: ['pathType', 'text'] };
const INGRESS_HTTP: Message = { 1: ['http', { message: { 1: ['paths', { list: INGRESS_PATH }] } }] };
const INGRESS_SPEC: Message = {
  1: ['defaultBackend', { message: BACKEND }],
  2: ['tls', { list: { 1: ['hosts', 'texts'], 2: ['secretName', 'text'] } }],
  3: ['rules', { list: { 1: ['host', 'text'], 2: ['', { inline: INGRESS_HTTP }] } }],
  4: ['ingressClassName', 'text'],
};

/** The kinds that `kubectl create` makes with typed clients and that matter here. */
const KINDS: Readonly<Record<string, Message>> = {
  'v1/Namespace': OBJECT,
  'v1/ServiceAccount': OBJECT,
  'v1/ConfigMap': { ...OBJECT, 2: ['data', STRINGS], 3: ['binaryData', BYTES], 4: ['immutable', 'boolean'] },
  'v1/Secret': {
    ...OBJECT,
    2: ['data', BYTES],
    3: ['type', 'text'],
    4: ['stringData', STRINGS],
    5: ['immutable', 'boolean'],
  },
  'v1/Service': { ...OBJECT, 2: ['spec', { message: SERVICE_SPEC }] },
  'networking.k8s.io/v1/Ingress': { ...OBJECT, 2: ['spec', { message: INGRESS_SPEC }] },
};

const DELETE_OPTIONS: Message = {
  1: ['gracePeriodSeconds', 'number'],
  2: ['preconditions', { message: { 1: ['uid', 'text'], 2: ['resourceVersion', 'text'] } }],
  4: ['propagationPolicy', 'text'],
  5: ['dryRun', 'texts'],
};

const MAGIC = Buffer.from('k8s\0', 'latin1');
const ENVELOPE: Message = {
  1: ['type', { message: { 1: ['apiVersion', 'text'], 2: ['kind', 'text'] } }],
  2: ['raw', 'bytes'],
};

interface Field {
  readonly number: number;
  readonly value: number | Buffer;
}

/** Reads a varint at `offset`; gives the value and where it ends. */
function varint(bytes: Buffer, offset: number): readonly [number, number] {
  let value = 0;
  for (
    let position = offset, factor = 1;
    position < bytes.length && position < offset + 10;
    position++, factor *= 128
  ) {
    const byte = bytes[position] ?? 0;
    value += (byte & 127) * factor;
    if (byte < 128) return [value, position + 1];
  }
  throw badRequest('the protobuf body is cut short');
}

function* fields(bytes: Buffer): Generator<Field> {
  let offset = 0;
  while (offset < bytes.length) {
    const [tag, start] = varint(bytes, offset);
    const [value, end] = varint(bytes, start);
    const wire = tag % 8;
    if (wire !== 0 && wire !== 2) throw badRequest('the protobuf body has a field of an unknown wire type');
    offset = wire === 2 ? end + value : end;
    if (offset > bytes.length) throw badRequest('the protobuf body is cut short');
    yield { number: Math.floor(tag / 8), value: wire === 2 ? bytes.subarray(end, offset) : value };
  }
}

function scalar(type: Type, value: number | Buffer): Json | undefined {
  if (type === 'boolean') return value !== 0;
  if (typeof value === 'number') return type === 'number' && value !== 0 ? value : undefined;
  if (type === 'text') return value.length === 0 ? undefined : value.toString('utf8');
  return type === 'bytes' ? value.toString('base64') : undefined;
}

/** IntOrString: 1 says which, 2 is the number, 3 the text. An absent one is written as the number 0. */
function intOrString(bytes: Buffer): Json | undefined {
  const parts = new Map([...fields(bytes)].map(({ number, value }) => [number, value]));
  const value = parts.get(parts.get(1) === 1 ? 3 : 2);
  return value === undefined ? undefined : scalar(typeof value === 'number' ? 'number' : 'text', value);
}

function entry(bytes: Buffer, type: 'text' | 'bytes'): JsonObject {
  const parts = new Map([...fields(bytes)].map(({ number, value }) => [number, value]));
  const [key, value] = [parts.get(1) ?? Buffer.alloc(0), parts.get(2) ?? Buffer.alloc(0)];
  return { [text(scalar('text', key))]: scalar(type, value) ?? '' };
}

/** Adds one field to a message. What Go writes for an absent value (empty text, 0, an empty message) adds nothing. */
function add(target: Record<string, Json>, name: string, type: Type, value: number | Buffer): void {
  const old = target[name];
  const list = Array.isArray(old) ? old : [];
  if (typeof type === 'string' || typeof value === 'number') {
    const single = typeof type === 'string' ? type : 'ignored';
    if (single === 'texts') target[name] = [...list, value.toString()];
    const decoded = single === 'intOrString' && typeof value !== 'number' ? intOrString(value) : scalar(single, value);
    if (decoded !== undefined) target[name] = decoded;
  } else if ('map' in type) target[name] = { ...(isObject(old) ? old : {}), ...entry(value, type.map) };
  else if ('list' in type) target[name] = [...list, message(value, type.list)];
  else if ('inline' in type) Object.assign(target, message(value, type.inline));
  else if (value.length > 0) target[name] = message(value, type.message);
}

function message(bytes: Buffer, shape: Message): JsonObject {
  const result: Record<string, Json> = {};
  for (const { number, value } of fields(bytes)) {
    const [name, type] = shape[number] ?? ['', 'ignored'];
    add(result, name, type, value);
  }
  return result;
}

/**
 * A body of `application/vnd.kubernetes.protobuf` as JSON. Typed Go clients, kubectl 1.33 among them, send it for
 * built-in kinds. Throws a 400 Status for what is malformed and 415 for kinds that are not known here.
 */
export function decodeProtobuf(body: Buffer): Json | undefined {
  if (body.length === 0) return undefined;
  if (!body.subarray(0, 4).equals(MAGIC)) throw badRequest('the body is not Kubernetes protobuf');
  const { type, raw } = message(body.subarray(4), ENVELOPE);
  const { apiVersion = '', kind = '' } = isObject(type) ? type : {};
  const shape = kind === 'DeleteOptions' ? DELETE_OPTIONS : KINDS[`${text(apiVersion)}/${text(kind)}`];
  if (shape === undefined) throw unsupportedMediaType(['application/json', 'application/yaml']);
  return { apiVersion, kind, ...message(Buffer.from(text(raw), 'base64'), shape) };
}
