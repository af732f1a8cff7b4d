import { hash } from 'node:crypto';
import { parse, v5 } from 'uuid';
import type { KubernetesObject } from '../kubernetes/resources.ts';
import { groupVersion } from '../findings.ts';
import { listOf } from './annotations.ts';
import type { PortRef } from './types.ts';

/** The namespace of every id that Kong's tools derive from names (KIC). */
const BASE = 'fd02801f-0957-4a15-a55a-c8d9606f30b5';

/**
 * What an id is derived for. The first six are KIC's; the others have no stable id there and get plurals of our own
 * under the same base.
 */
export type Plural =
  | 'services'
  | 'routes'
  | 'consumers'
  | 'consumergroups'
  | 'vaults'
  | 'plugins'
  | 'customidconsumers'
  | 'upstreams'
  | 'targets'
  | 'snis'
  | 'certificates'
  | 'credentials'
  | 'memberships'
  | 'customentities';

const namespaces = new Map<Plural, Uint8Array>();

function namespaceOf(plural: Plural): Uint8Array {
  const known = namespaces.get(plural);
  if (known !== undefined) return known;
  const made = parse(v5(plural, parse(BASE)));
  namespaces.set(plural, made);
  return made;
}

/** Where namespace and name are put together; hashing is synchronous, so that one is enough. */
const scratch = Buffer.alloc(8192);

/** UUIDv5 (RFC 9562) without a copy of anything: a large cluster needs tens of thousands, which cost half of translation. */
function uuidV5(namespace: Uint8Array, name: string): string {
  const length = namespace.length + Buffer.byteLength(name);
  if (length > scratch.length) return v5(name, namespace);
  scratch.set(namespace);
  scratch.write(name, namespace.length);
  const hex = hash('sha1', scratch.subarray(0, length), 'hex');
  const variant = ((Number.parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(18, 20)}-${hex.slice(20, 32)}`;
}

/** UUIDv5 of an entity's natural key; a workspace, when there is one, is part of the key (KIC). */
export function entityId(plural: Plural, key: string, workspace: string): string {
  return uuidV5(namespaceOf(plural), workspace === '' ? key : `${workspace}/${key}`);
}

/** The id of a KongLicense's entity (KIC). */
export function licenseId(name: string): string {
  return v5(`KongLicense:${name}`, '00000000-0000-0000-0000-000000000000');
}

/** The port as Kong's names spell it. */
export function portText(port: PortRef): string {
  if (port.by === 'number') return String(port.number);
  return port.by === 'name' ? port.name : 'implicitPort';
}

/** A host as names spell it: `*` is not allowed there. */
export function hostText(host: string): string {
  return host.replaceAll('*', '_');
}

/** What stands behind an Ingress path, as far as names go. */
export interface NamedBackend {
  readonly namespace: string;
  readonly name: string;
  readonly port: PortRef;
  readonly facade?: { readonly metadata: { readonly name: string } };
}

/** `<facade>.svc.facade`. */
function facadeText(backend: NamedBackend): string | undefined {
  return backend.facade === undefined ? undefined : `${backend.facade.metadata.name}.svc.facade`;
}

/** The Kong service of an Ingress backend: `<ns>.<svc>.<port>` or `<ns>.<facade>.svc.facade`. */
export function ingressServiceName(backend: NamedBackend): string {
  return `${backend.namespace}.${facadeText(backend) ?? `${backend.name}.${portText(backend.port)}`}`;
}

/** The upstream behind an Ingress backend: `<svc>.<ns>.<port>.svc`, or a facade's service name. */
export function ingressUpstreamName(backend: NamedBackend): string {
  if (backend.facade !== undefined) return ingressServiceName(backend);
  return `${backend.name}.${backend.namespace}.${portText(backend.port)}.svc`;
}

/** `<ns>.<ingress>.<svc>.<host>.<port>` or `<ns>.<ingress>.<host>.<facade>.svc.facade`. */
export function ingressRouteName(ingress: string, backend: NamedBackend, host: string): string {
  const facade = facadeText(backend);
  const rest =
    facade === undefined
      ? `${backend.name}.${hostText(host)}.${portText(backend.port)}`
      : `${hostText(host)}.${facade}`;
  return `${backend.namespace}.${ingress}.${rest}`;
}

const UNKNOWN_TAGS: readonly string[] = [
  'k8s-name:UNKNOWN',
  'k8s-namespace:UNKNOWN',
  'k8s-kind:Service',
  'k8s-uid:00000000-0000-0000-0000-000000000000',
  'k8s-group:core',
  'k8s-version:v1',
];

/** The tags of a service or upstream none of whose backends exists (KIC). */
export function unknownTags(): readonly string[] {
  return UNKNOWN_TAGS;
}

/** Kong takes names of letters, digits and `.-_~`. */
export function isName(name: string): boolean {
  return /^[\w.~-]+$/.test(name) || /^[\p{L}\p{M}\p{N}._~-]+$/u.test(name);
}

const UPSTREAM_HOST = /^\w(?:[\w-]*\w)?(?:\.\w(?:[\w-]*\w)?)*$/;

/** A host that Kong takes for a service or an upstream: labels that are not empty and neither start nor end with a hyphen. */
export function isUpstreamHost(host: string): boolean {
  return host.length <= 255 && UPSTREAM_HOST.test(host);
}

/** What nearly every tag is. */
const PLAIN_TAG = /^[\w.:-]+$/;

/** Kong takes tags of printable characters without `/` and `,`. */
export function isTag(tag: string): boolean {
  return PLAIN_TAG.test(tag) || (tag !== '' && !/[\p{Cc}\p{Cs}/,]/u.test(tag));
}

/** The object's own tags that Kong would refuse. */
export function refusedTags(object: KubernetesObject): readonly string[] {
  const own = object.metadata.annotations?.['konghq.com/tags'];
  return own === undefined ? [] : listOf(own).filter((tag) => !isTag(tag));
}

/**
 * The tags of an entity that comes from an object: `k8s-…`, then the names of the rules behind it, then the unique
 * values of `konghq.com/tags` (KIC).
 */
export function tagsOf(object: KubernetesObject, ruleNames: readonly string[] = []): readonly string[] {
  const { namespace, uid, name, annotations } = object.metadata;
  const { group, version } = groupVersion(object.apiVersion);
  const tags = [`k8s-name:${name}`];
  if (namespace !== undefined && namespace !== '') tags.push(`k8s-namespace:${namespace}`);
  tags.push(`k8s-kind:${object.kind}`);
  if (uid !== undefined && uid !== '') tags.push(`k8s-uid:${uid}`);
  if (group !== '') tags.push(`k8s-group:${group}`);
  if (version !== '') tags.push(`k8s-version:${version}`);
  for (const rule of ruleNames) tags.push(`k8s-named-route-rule:${rule}`);
  const own = annotations?.['konghq.com/tags'];
  const all = own === undefined ? tags : [...new Set([...tags, ...listOf(own)])];
  // One look at all of them is enough nearly always.
  return PLAIN_TAG.test(all.join('')) ? all : all.filter(isTag);
}
