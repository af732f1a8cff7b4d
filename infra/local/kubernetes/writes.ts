import { isKind, KINDS } from '../../../shared/kubernetes/kinds.ts';
import { randomInt, randomUUID } from 'node:crypto';
import type { Operation } from './admission.ts';
import { apiVersion, isDryRun, storage, timestamp, type Call } from './call.ts';
import { toServed, toStored } from './convert.ts';
import { withDefaults } from './defaults.ts';
import { settle } from './deletes.ts';
import { at, equal, isArray, isObject, objectAt, textAt, withAt, without, type Json, type JsonObject } from './json.ts';
import { afterUpdate, serverSideApply, type Writer } from './managed.ts';
import { jsonPatch, mergePatch } from './patch.ts';
import { storageOf } from './resources.ts';
import { checkFields } from './schema.ts';
import {
  alreadyExists,
  badRequest,
  conflict,
  forbidden,
  invalid,
  methodNotAllowed,
  MODIFIED,
  notFound,
  unsupportedMediaType,
} from './status.ts';
import { Stored } from './store.ts';
import { strategicMerge } from './strategic.ts';
import { problems } from './validation.ts';

/** What a write gives back: the object as it is now and whether it was made. */
export interface Written {
  readonly stored: Stored;
  readonly created: boolean;
}

const NAME_LETTERS = 'bcdfghjklmnpqrstvwxz2456789';
const ATTEMPTS = 10;

function writer(call: Call): Writer {
  return {
    manager: call.manager,
    apiVersion: apiVersion(call),
    subresource: call.path.subresource,
    time: timestamp(call.cluster),
  };
}

/** The body as an object of this path's kind, name and namespace. Throws a 400 Status when it is of another. */
function checkBody(call: Call, body: Json): JsonObject {
  if (!isObject(body)) throw badRequest('the body of the request is not an object');
  const expected = { apiVersion: apiVersion(call), kind: call.resource.kind };
  for (const [field, value] of Object.entries(expected)) {
    const given = textAt(body, field) || value;
    if (given !== value)
      throw badRequest(`the ${field} in the data (${given}) does not match the expected ${field} (${value})`);
  }
  const metadata = objectAt(body, 'metadata');
  const name = textAt(metadata, 'name') || call.path.name;
  const namespace = textAt(metadata, 'namespace') || call.path.namespace;
  if (call.path.name !== '' && name !== call.path.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${call.path.name})`);
  }
  if (namespace !== call.path.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  const place = call.resource.namespaced ? { namespace } : {};
  const named = name === '' ? {} : { name };
  const whole = { ...body, ...expected, metadata: { ...metadata, ...named, ...place } };
  return toStored(call.resource, checkFields(call, whole));
}

function requireNamespace(call: Call): void {
  const { resource, path, cluster } = call;
  if (!resource.namespaced) return;
  if (path.namespace === '') throw methodNotAllowed();
  const namespace = cluster.store.get('/namespaces', '', path.namespace);
  if (namespace === undefined) throw notFound({ group: '', kind: 'Namespace', plural: 'namespaces' }, path.namespace);
  if (textAt(namespace.object, 'metadata', 'deletionTimestamp') !== '') {
    const why = `unable to create new content in namespace ${path.namespace} because it is being terminated`;
    throw forbidden(resource, path.name, why);
  }
}

function generatedName(prefix: string): string {
  const letters = Array.from({ length: 5 }, () => NAME_LETTERS[randomInt(NAME_LETTERS.length)]);
  return `${prefix.slice(0, 58)}${letters.join('')}`;
}

function newObject(call: Call, body: JsonObject): JsonObject {
  const metadata = objectAt(body, 'metadata');
  if (textAt(metadata, 'resourceVersion') !== '') {
    throw badRequest('resourceVersion should not be set on objects to be created');
  }
  const prefix = textAt(metadata, 'generateName');
  const name = textAt(metadata, 'name') || (prefix === '' ? '' : generatedName(prefix));
  const kept = without(metadata, 'selfLink', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'generation');
  const object = call.resource.status ? without(body, 'status') : body;
  return {
    ...object,
    metadata: {
      ...kept,
      name,
      uid: randomUUID(),
      creationTimestamp: timestamp(call.cluster),
      ...(call.resource.generation ? { generation: 1 } : {}),
    },
  };
}

function complete(call: Call, object: JsonObject, previous: JsonObject | undefined): JsonObject {
  const { store } = call.cluster;
  // A custom kind may be called like a built-in one; only Kong's and the Gateway API's own have defaults.
  const { custom, group, kind: name } = call.resource;
  const kind = !custom || (isKind(name) && KINDS[name].group === group) ? name : '';
  const whole = withDefaults(kind, object, previous, store.resourceVersion + 1, timestamp(call.cluster));
  const causes = problems(call.resource, whole, previous);
  if (causes.length > 0) throw invalid(call.resource, textAt(object, 'metadata', 'name'), causes);
  return whole;
}

async function admit(call: Call, operation: Operation, object: JsonObject, old: Stored | undefined): Promise<void> {
  const { resource, path, cluster } = call;
  const warnings = await cluster.admission.admit({
    resource,
    version: path.version,
    subresource: path.subresource,
    namespace: path.namespace,
    name: textAt(object, 'metadata', 'name'),
    operation,
    object: toServed(resource, path.version, object),
    oldObject: old === undefined ? null : toServed(resource, path.version, old.object),
    user: call.user,
    dryRun: isDryRun(call),
  });
  call.warnings.push(...warnings);
}

/** POST. Throws the Status of what forbids it (400, 403, 404, 409, 422, …). */
export async function create(call: Call, body: Json): Promise<Written> {
  requireNamespace(call);
  const object = newObject(call, checkBody(call, body));
  return insert(call, afterUpdate(undefined, object, writer(call)));
}

async function insert(call: Call, object: JsonObject): Promise<Written> {
  const { cluster, resource, path } = call;
  const name = textAt(object, 'metadata', 'name');
  const find = (): Stored | undefined => cluster.store.get(storage(call), path.namespace, name);
  if (find() !== undefined) throw alreadyExists(resource, name);
  const whole = complete(call, object, undefined);
  await admit(call, 'CREATE', whole, undefined);
  // Somebody else may have been faster while the webhooks were asked.
  if (find() !== undefined) throw alreadyExists(resource, name);
  requireNamespace(call);
  const stored = isDryRun(call) ? new Stored(whole, 0) : cluster.store.put(storage(call), whole);
  return { stored, created: true };
}

/** The new object with what clients cannot change taken from the old one. */
function carryOver(call: Call, body: JsonObject, old: JsonObject): JsonObject {
  const before = objectAt(old, 'metadata');
  const fixed = [
    'uid',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'generation',
    'generateName',
  ];
  const kept = Object.entries(before).filter(([field]) => fixed.includes(field));
  const metadata = {
    ...without(objectAt(body, 'metadata'), 'selfLink', ...fixed),
    ...Object.fromEntries(kept),
    resourceVersion: before['resourceVersion'] ?? '',
  };
  if (call.path.subresource === 'status') {
    const owners = at(body, 'metadata', 'managedFields') ?? [];
    const status = at(body, 'status');
    return withAt(withAt(old, ['status'], status), ['metadata', 'managedFields'], owners);
  }
  const status = call.resource.status ? at(old, 'status') : at(body, 'status');
  return withAt({ ...body, metadata }, ['status'], status);
}

function content(object: JsonObject): JsonObject {
  return without(object, 'metadata', 'status');
}

function withGeneration(call: Call, object: JsonObject, old: JsonObject): JsonObject {
  if (!call.resource.generation || equal(content(object), content(old))) return object;
  return withAt(object, ['metadata', 'generation'], Number(at(old, 'metadata', 'generation') ?? 0) + 1);
}

function timeless(object: JsonObject): JsonObject {
  const list = at(object, 'metadata', 'managedFields');
  if (!isArray(list)) return object;
  const entries = list.map((entry) => (isObject(entry) ? without(entry, 'time') : entry));
  return withAt(object, ['metadata', 'managedFields'], entries);
}

/** An entry's time moves only when something else does, or every write would be a change. */
function unchanged(object: JsonObject, old: JsonObject): boolean {
  return equal(timeless(object), timeless(old));
}

/** Makes the new state of an object from the present one; `managed` when it set `managedFields` itself. */
type Make = (old: JsonObject) => { readonly body: Json; readonly managed: boolean };

/** Changes an object, again when somebody else was faster and the client did not insist on a resourceVersion. */
async function change(call: Call, make: Make): Promise<Written> {
  const { cluster, resource, path } = call;
  for (let attempt = 1; ; attempt++) {
    const old = cluster.store.get(storage(call), path.namespace, path.name);
    if (old === undefined) throw notFound(resource, path.name);
    const { body, managed } = make(toServed(resource, path.version, old.object));
    const checked = checkBody(call, body);
    checkPreconditions(call, checked, old);
    const carried = carryOver(call, checked, old.object);
    const completed = complete(call, carried, old.object);
    const owned = managed ? completed : afterUpdate(old.object, completed, writer(call));
    const next = withGeneration(call, owned, old.object);
    if (unchanged(next, old.object)) return { stored: old, created: false };
    await admit(call, 'UPDATE', next, old);
    if (cluster.store.get(storage(call), path.namespace, path.name) === old) {
      if (isDryRun(call)) return { stored: new Stored(next, old.resourceVersion), created: false };
      return { stored: settle(cluster, storageOf(resource), next), created: false };
    }
    if (attempt === ATTEMPTS || insists(body, old)) throw conflict(resource, path.name, MODIFIED);
  }
}

/** Whether the client named the resourceVersion that it changed. */
function insists(body: Json, old: Stored): boolean {
  return textAt(body, 'metadata', 'resourceVersion') === String(old.resourceVersion);
}

function checkPreconditions(call: Call, body: JsonObject, old: Stored): void {
  const version = textAt(body, 'metadata', 'resourceVersion');
  const uid = textAt(body, 'metadata', 'uid');
  const present = textAt(old.object, 'metadata', 'uid');
  if (version !== '' && version !== String(old.resourceVersion)) throw conflict(call.resource, old.name, MODIFIED);
  if (uid !== '' && uid !== present) {
    throw conflict(
      call.resource,
      old.name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${present}`,
    );
  }
}

/** PUT, on the object or its status. */
export function update(call: Call, body: Json): Promise<Written> {
  return change(call, () => ({ body, managed: false }));
}

const PATCH_TYPES = {
  'application/json-patch+json': (old: JsonObject, body: Json): Json => jsonPatch(old, body),
  'application/merge-patch+json': (old: JsonObject, body: Json): Json => mergePatch(old, body),
  'application/strategic-merge-patch+json': (old: JsonObject, body: Json): Json =>
    strategicMerge(old, body, textAt(old, 'kind')),
};
const APPLY = 'application/apply-patch+yaml';

function isPatchType(type: string): type is keyof typeof PATCH_TYPES {
  return Object.hasOwn(PATCH_TYPES, type);
}

/** PATCH of any type; a server-side apply makes the object when it is not there. */
export function patch(call: Call, type: string, body: Json): Promise<Written> {
  if (type === APPLY) return apply(call, body);
  const strategic = type === 'application/strategic-merge-patch+json';
  if (!isPatchType(type) || (strategic && call.resource.custom)) {
    throw unsupportedMediaType([...Object.keys(PATCH_TYPES).filter((item) => !strategic || item !== type), APPLY]);
  }
  return change(call, (old) => {
    const patched = PATCH_TYPES[type](old, body);
    // The version of the object that was read is no claim of the client's.
    const claimed = type !== 'application/json-patch+json' && textAt(body, 'metadata', 'resourceVersion') !== '';
    return { body: claimed || !isObject(patched) ? patched : forget(patched, old), managed: false };
  });
}

function forget(patched: JsonObject, old: JsonObject): JsonObject {
  const same = at(patched, 'metadata', 'resourceVersion') === at(old, 'metadata', 'resourceVersion');
  return same ? withAt(patched, ['metadata', 'resourceVersion'], undefined) : patched;
}

async function apply(call: Call, body: Json): Promise<Written> {
  const force = call.query.get('force') === 'true';
  if (!call.query.has('fieldManager'))
    throw badRequest(
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    );
  if (!isObject(body)) throw badRequest('the body of the request is not an object');
  if (at(body, 'metadata', 'managedFields') !== undefined) throw badRequest('metadata.managedFields must be nil');
  const applied = { ...body, metadata: { ...objectAt(body, 'metadata'), name: call.path.name } };
  const old = call.cluster.store.get(storage(call), call.path.namespace, call.path.name);
  if (old === undefined && call.path.subresource === '') {
    requireNamespace(call);
    const checked = toServed(call.resource, call.path.version, checkBody(call, applied));
    const object = serverSideApply(undefined, checked, writer(call), force);
    return insert(call, newObject(call, toStored(call.resource, object)));
  }
  return change(call, (current) => {
    const next = serverSideApply(current, applied, writer(call), force);
    return {
      body: at(body, 'metadata', 'resourceVersion') === undefined ? forget(next, current) : next,
      managed: true,
    };
  });
}
