import type { BackendTLSPolicy } from '../kubernetes/gateway-resources.ts';
import type { ConfigMap, Secret, Service } from '../kubernetes/resources.ts';
import { annotation, goBoolean, integerBetween, listOf, readAnnotation } from './annotations.ts';
import { proposeCertificate } from './certificate.ts';
import { type Context, find, findAll, fullName } from './context.ts';
import { isEnabled } from './kong-features.ts';
import { secretText } from './secret.ts';
import type { SlotRef } from './types.ts';

/** Service protocols without TLS. */
const PLAIN_PROTOCOLS = new Set(['http', 'grpc', 'tcp', 'tls_passthrough', 'udp', 'ws']);

type TlsFields = Readonly<Record<string, boolean | number | readonly string[]>>;

/** Says that an annotation needs TLS, when the protocol has none. */
function lacksTls(context: Context, service: Service, name: string, protocol: string): boolean {
  if (!PLAIN_PROTOCOLS.has(protocol)) return false;
  const detail = `annotation konghq.com/${name} needs a protocol with TLS, but konghq.com/protocol is ${protocol}`;
  context.report(service, 'InvalidProtocol', detail);
  return true;
}

function configMapText(configMap: ConfigMap, key: string): string | undefined {
  return configMap.data?.[key];
}

const SOURCES = {
  'ca-certificates-secrets': {
    missing: 'SecretNotFound',
    id: (context: Context, namespace: string, name: string) => {
      const secret: Secret | undefined = find(context, 'Secret', namespace, name);
      return secret === undefined ? undefined : (secretText(secret, 'id') ?? '');
    },
  },
  'ca-certificates-configmaps': {
    missing: 'ConfigMapNotFound',
    id: (context: Context, namespace: string, name: string) => {
      const configMap = find(context, 'ConfigMap', namespace, name);
      return configMap === undefined ? undefined : (configMapText(configMap, 'id') ?? '');
    },
  },
} as const;

/** The ids of the CA certificates that an annotation names; what is missing is a finding. */
function caIds(context: Context, service: Service, name: keyof typeof SOURCES): readonly string[] {
  const { missing, id } = SOURCES[name];
  const ids: string[] = [];
  for (const source of listOf(annotation(service, name) ?? '')) {
    const found = id(context, service.metadata.namespace ?? '', source);
    if (found === undefined) {
      context.report(service, missing, `annotation konghq.com/${name} names ${source}, which does not exist`);
    } else if (found === '') {
      context.report(
        service,
        'InvalidReference',
        `annotation konghq.com/${name} names ${source}, which has no data.id`,
      );
    } else ids.push(found);
  }
  return ids;
}

function caCertificates(context: Context, service: Service, protocol: string, verify: boolean): TlsFields {
  const names = (['ca-certificates-secrets', 'ca-certificates-configmaps'] as const).filter(
    (name) => annotation(service, name) !== undefined,
  );
  const [first] = names;
  if (first === undefined || lacksTls(context, service, first, protocol)) return {};
  if (!verify) {
    context.report(service, 'InvalidProtocol', `annotation konghq.com/${first} needs konghq.com/tls-verify: "true"`);
    return {};
  }
  const ids = names.map((name) => caIds(context, service, name)).flat();
  return ids.length === 0 ? {} : { ca_certificates: [...new Set(ids)] };
}

/** TLS towards the Service: verification and CA certificates, only with a protocol that has TLS (KIC 2.3.2). */
export function tlsFields(context: Context, service: Service, protocol: string): TlsFields {
  const verify = readAnnotation(context, service, 'tls-verify', goBoolean, 'true or false');
  const depth = readAnnotation(context, service, 'tls-verify-depth', integerBetween(0, 64), 'an integer from 0 to 64');
  const authorities = caCertificates(context, service, protocol, verify === true);
  if (verify === undefined && depth === undefined) return authorities;
  if (lacksTls(context, service, 'tls-verify', protocol)) return {};
  return {
    ...(verify === undefined ? {} : { tls_verify: verify }),
    ...(depth === undefined ? {} : { tls_verify_depth: depth }),
    ...authorities,
  };
}

/** The certificate that Kong shows to the Service, as a reference of the Kong service. */
export function clientCertificate(
  context: Context,
  service: Service,
  protocol: string,
): Readonly<Record<string, SlotRef>> {
  const name = annotation(service, 'client-cert');
  if (name === undefined || name === '' || lacksTls(context, service, 'client-cert', protocol)) return {};
  const field = 'annotation konghq.com/client-cert';
  const slot = proposeCertificate(context, service, field, service.metadata.namespace ?? '', name);
  return slot === undefined ? {} : { client_certificate: { slot } };
}

/** What in a policy cannot be translated, or undefined. */
function policyProblem({ spec }: BackendTLSPolicy): string | undefined {
  if ((spec?.validation?.subjectAltNames ?? []).length > 0)
    return 'spec.validation.subjectAltNames has no counterpart in Kong';
  if (spec?.validation?.wellKnownCACertificates !== undefined) {
    return 'spec.validation.wellKnownCACertificates has no counterpart in Kong';
  }
  return undefined;
}

function policyAnnotations(
  { spec }: BackendTLSPolicy,
  existing: Readonly<Record<string, string>>,
): Record<string, string> {
  const refs = spec?.validation?.caCertificateRefs ?? [];
  const names = (kind: string, key: string): Record<string, string> => {
    const own = refs.filter((ref) => ref.kind === kind).map((ref) => ref.name);
    const all = [...listOf(existing[key] ?? ''), ...own];
    return all.length === 0 ? {} : { [key]: all.join(',') };
  };
  const depth = spec?.options?.['tls-verify-depth'];
  const hostname = spec?.validation?.hostname;
  return {
    'konghq.com/tls-verify': 'true',
    'konghq.com/protocol': 'https',
    ...(hostname === undefined ? {} : { 'konghq.com/host-header': hostname }),
    ...names('Secret', 'konghq.com/ca-certificates-secrets'),
    ...names('ConfigMap', 'konghq.com/ca-certificates-configmaps'),
    ...(depth !== undefined && /^\d+$/.test(depth) ? { 'konghq.com/tls-verify-depth': depth } : {}),
  };
}

/** The Service with what its BackendTLSPolicy says as annotations (KIC 2.3.2); of several the oldest counts. */
export function withTlsPolicy(context: Context, service: Service): Service {
  if (!isEnabled(context.options, 'GatewayAlpha')) return service;
  const policies = findAll(context, 'BackendTLSPolicy', { service: fullName(service) });
  const usable = policies.filter((policy) => {
    const problem = policyProblem(policy);
    if (problem !== undefined) context.report(policy, 'InvalidReference', problem);
    return problem === undefined;
  });
  const [policy, ...younger] = usable.toSorted((a, b) =>
    (a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1,
  );
  if (policy === undefined) return service;
  for (const other of younger) {
    context.report(
      other,
      'SlotLost',
      `spec.targetRefs names Service ${fullName(service)}, which has an older BackendTLSPolicy`,
    );
  }
  const annotations = service.metadata.annotations ?? {};
  const merged = { ...annotations, ...policyAnnotations(policy, annotations) };
  return { ...service, metadata: { ...service.metadata, annotations: merged } };
}
