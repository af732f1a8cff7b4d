import type { KubernetesObject, Service } from '../kubernetes/resources.ts';
import { pluginRefs } from '../kubernetes/plugin-refs.ts';
import { each } from './answers.ts';
import { annotation, integerBetween, isAnnotated, readAnnotation } from './annotations.ts';
import { type Backend, type ResolvedBackend, resolveBackend } from './backend.ts';
import { type Context, fullName, objectTags } from './context.ts';
import { entityId, unknownTags } from './identity.ts';
import { hasFeature } from './kong-features.ts';
import { proposePlugins } from './plugin.ts';
import { clientCertificate, tlsFields } from './service-tls.ts';
import type { Rank, Slot, SlotRef } from './types.ts';
import { proposeUpstream } from './upstream.ts';

/** What a Kong service is made of, before its Services are looked up. */
export interface ServiceDraft {
  readonly name: string;
  /** Also the upstream's name. */
  readonly host: string;
  readonly protocol: string;
  readonly path?: string;
  /** Until a backend's port is resolved. */
  readonly port?: number;
  /** False for UDPIngress: Kong's own timeouts and retries. */
  readonly timeouts: boolean;
  /** Connect, read and write timeout in ms instead of the default. */
  readonly timeoutMs?: number;
  readonly backends: readonly Backend[];
  /** True where KIC knows no object that stands for several Services, so that their Kong service has no tags (KIC 2.1.5). */
  readonly untagged?: boolean;
  readonly rank: Rank;
  readonly gate?: Slot;
  readonly quiet?: true;
}

/** A Kong service that was proposed. */
export interface KongService {
  readonly slot: Slot;
  readonly name: string;
  readonly protocol: string;
  readonly backends: readonly ResolvedBackend[];
}

const SERVICE_PROTOCOLS = new Set(['http', 'https', 'grpc', 'grpcs', 'ws', 'wss', 'tls', 'tcp', 'tls_passthrough']);
const PATHLESS_PROTOCOLS = new Set(['grpc', 'grpcs', 'tcp', 'tls', 'udp', 'tls_passthrough']);
const DEFAULT_TIMEOUT_MS = 60_000;
const DEFAULT_RETRIES = 5;
const LARGEST_TIMEOUT_MS = 2_147_483_646;

/** The Services of the backends, ordered by namespace/name as KIC applies them. */
export function servicesOf(backends: readonly ResolvedBackend[]): readonly Service[] {
  const services = backends.flatMap(({ service }) => (service === undefined ? [] : [service]));
  return services.toSorted((a, b) => (fullName(a) < fullName(b) ? -1 : 1));
}

/** Annotations that the Services of one backend do not agree on, per Service. Every `konghq.com…` key counts (KIC 2.3.2). */
function inconsistentKeys(services: readonly Service[]): readonly string[] {
  const keys = new Set(
    services.flatMap((service) =>
      Object.keys(service.metadata.annotations ?? {}).filter((key) => key.startsWith('konghq.com')),
    ),
  );
  return [...keys].filter((key) => new Set(services.map((service) => service.metadata.annotations?.[key])).size > 1);
}

function areConsistent(context: Context, draft: ServiceDraft, services: readonly Service[]): boolean {
  const keys = services.length < 2 ? [] : inconsistentKeys(services);
  for (const key of keys) {
    for (const service of services) {
      const detail = `annotation ${key} differs from that of another Service of the backend ${draft.name}`;
      context.report(service, 'InconsistentAnnotations', detail);
    }
  }
  return keys.length === 0;
}

/** The tags of a Kong service and its upstream (KIC 2.1.5). */
function serviceTags(
  context: Context,
  backends: readonly ResolvedBackend[],
  { untagged = false }: ServiceDraft,
): readonly string[] {
  const owners = backends.flatMap(({ owner }) => (owner === undefined ? [] : [owner]));
  const [only, second] = owners;
  if (only === undefined) return unknownTags();
  if (second === undefined) return objectTags(context, only);
  return untagged ? [] : objectTags(context, context.root);
}

type ServiceFields = Record<string, string | number | boolean | readonly string[] | undefined>;

/** A number annotation's field, when the Service has it. */
function numberField(
  context: Context,
  service: KubernetesObject,
  name: string,
  field: string,
  max: number,
): ServiceFields {
  const min = name.endsWith('timeout') ? 1 : 0;
  const value = readAnnotation(context, service, name, integerBetween(min, max), `an integer from ${min} to ${max}`);
  return value === undefined ? {} : { [field]: value };
}

function protocolField(context: Context, service: KubernetesObject): ServiceFields {
  const protocol = annotation(service, 'protocol');
  if (protocol === undefined) return {};
  if (protocol.startsWith('ws') && !hasFeature(context.options, 'webSockets')) {
    const detail = `annotation konghq.com/protocol is ${protocol.slice(0, 80)}, which needs Kong Enterprise`;
    context.report(service, 'UnsupportedByKong', detail);
    return {};
  }
  if (SERVICE_PROTOCOLS.has(protocol)) return { protocol };
  const detail = `annotation konghq.com/protocol has the invalid value ${JSON.stringify(protocol.slice(0, 80))}`;
  context.report(service, 'InvalidProtocol', detail);
  return {};
}

/** What a Service's annotations change of its Kong service (KIC 1.2.2), but references. */
function annotatedFields(context: Context, service: KubernetesObject): ServiceFields {
  const path = readAnnotation(
    context,
    service,
    'path',
    (value) => (value.startsWith('/') ? value : undefined),
    'a path that starts with "/"',
  );
  return {
    ...protocolField(context, service),
    ...(path === undefined ? {} : { path }),
    ...numberField(context, service, 'connect-timeout', 'connect_timeout', LARGEST_TIMEOUT_MS),
    ...numberField(context, service, 'read-timeout', 'read_timeout', LARGEST_TIMEOUT_MS),
    ...numberField(context, service, 'write-timeout', 'write_timeout', LARGEST_TIMEOUT_MS),
    ...numberField(context, service, 'retries', 'retries', 32_767),
  };
}

function baseFields(draft: ServiceDraft, backends: readonly ResolvedBackend[]): ServiceFields {
  const port = backends.findLast((backend) => backend.port !== undefined)?.port?.port ?? draft.port;
  const timeout = draft.timeouts ? (draft.timeoutMs ?? DEFAULT_TIMEOUT_MS) : undefined;
  return {
    name: draft.name,
    host: draft.host,
    protocol: draft.protocol,
    port,
    path: draft.path,
    retries: draft.timeouts ? DEFAULT_RETRIES : undefined,
    connect_timeout: timeout,
    read_timeout: timeout,
    write_timeout: timeout,
  };
}

/**
 * Proposes a Kong service with its upstream, targets and client certificate. Undefined, with findings, when its
 * Services contradict each other: then its routes must not be proposed either.
 */
export function proposeService(context: Context, draft: ServiceDraft): KongService | undefined {
  const backends = each(draft.backends, (backend) => resolveBackend(context, backend));
  const services = servicesOf(backends);
  if (!areConsistent(context, draft, services)) return undefined;

  let fields = baseFields(draft, backends);
  let refs: Readonly<Record<string, SlotRef>> = {};
  for (const service of services.filter(isAnnotated)) {
    fields = { ...fields, ...annotatedFields(context, service) };
    const protocol = String(fields['protocol']);
    fields = { ...fields, ...tlsFields(context, service, protocol) };
    refs = { ...refs, ...clientCertificate(context, service, protocol) };
  }
  if (PATHLESS_PROTOCOLS.has(String(fields['protocol']))) fields = { ...fields, path: undefined };

  const slot = `services/${draft.name}`;
  const common = {
    tags: serviceTags(context, backends, draft),
    rank: draft.rank,
    ...(draft.gate === undefined ? {} : { gate: draft.gate }),
    ...(draft.quiet === undefined ? {} : { quiet: draft.quiet }),
  };
  context.propose({
    ...common,
    slot,
    type: 'services',
    id: entityId('services', draft.name, context.options.workspace),
    body: fields,
    refs,
  });
  proposeUpstream(context, draft.host, backends, common);
  const bound = { slot, name: draft.name, ...(draft.gate === undefined ? {} : { gate: draft.gate }) };
  for (const service of services) proposePlugins(context, service, pluginRefs(service), { service: bound });
  return { slot, name: draft.name, protocol: String(fields['protocol']), backends };
}
