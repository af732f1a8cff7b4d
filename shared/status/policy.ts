import type { BackendTLSPolicy } from '../kubernetes/gateway-resources.ts';
import { type Key, keyOf, keyOfRef, objectKey } from '../kubernetes/keys.ts';
import type { KubernetesObject } from '../kubernetes/resources.ts';
import { annotation } from '../translate/annotations.ts';
import type { Finding } from '../translate/types.ts';
import { condition } from './condition.ts';
import { failureOf } from './findings.ts';
import { aboutOf, seenOfKind, type Seen } from './seen.ts';
import type { Condition, Reference, RouteParent, StatusReport } from './types.ts';

function findingsOn(object: Key, findings: readonly Finding[]): readonly Finding[] {
  return findings.filter((item) => keyOfRef(item.object) === object);
}

/** Who a policy applies to, and how KIC names its group there. */
function ancestorRef(object: KubernetesObject): Reference {
  return {
    group: object.kind === 'Service' ? 'core' : 'incubator.ingress-controller.konghq.com',
    kind: object.kind,
    namespace: object.metadata.namespace ?? '',
    name: object.metadata.name,
  };
}

function upstreamAccepted(user: KubernetesObject, policy: Key, findings: readonly Finding[]): Condition {
  const conflict = failureOf(findingsOn(keyOf(user), findings), (reason) => reason === 'InconsistentAnnotations');
  if (conflict !== undefined) return condition('Accepted', 'False', 'Conflicted', conflict.message);
  const invalid = failureOf(findingsOn(policy, findings), () => true);
  if (invalid !== undefined) return condition('Accepted', 'False', 'Invalid', invalid.message);
  return condition('Accepted', 'True', 'Accepted', 'The policy applies.');
}

/**
 * What a root says of the KongUpstreamPolicies that Services and facades name which it read: one entry each (KIC 1.5).
 * Of Services that differ, translation does not look their policies up: whether those are there is seen when written.
 */
export function upstreamPolicyReports(seen: Seen, findings: readonly Finding[]): readonly StatusReport[] {
  const users = [...seenOfKind(seen, 'Service'), ...seenOfKind(seen, 'KongServiceFacade')];
  const byPolicy = Map.groupBy(users, (user) => {
    const name = annotation(user, 'upstream-policy') ?? '';
    return name === '' ? '' : objectKey('KongUpstreamPolicy', user.metadata.namespace ?? '', name);
  });
  return [...byPolicy].flatMap(([key, own]): StatusReport[] => {
    const policy = seen.get(key);
    if (key === '' || (seen.has(key) && policy === undefined)) return [];
    const ancestors = own.map((user) => ({
      ref: ancestorRef(user),
      conditions: [upstreamAccepted(user, key, findings)],
    }));
    const about = policy === undefined ? { uid: '', generation: 0 } : aboutOf(policy);
    return [{ object: key, content: { family: 'ancestors', ...about, ancestors, programmed: true } }];
  });
}

/** Whether the CA certificates that a policy names are there; kinds that cannot hold one come first. */
function authorities(policy: BackendTLSPolicy, seen: Seen): Condition {
  const refs = policy.spec?.validation?.caCertificateRefs ?? [];
  const namespace = policy.metadata.namespace ?? '';
  const odd = refs.find(({ kind, group }) => !['Secret', 'ConfigMap'].includes(kind) || (group ?? '') !== '');
  if (odd !== undefined) {
    const message = `caCertificateRefs names a ${odd.kind}; a Secret or ConfigMap can hold a CA certificate.`;
    return condition('ResolvedRefs', 'False', 'InvalidKind', message);
  }
  const missing = refs.find(({ kind, name }) => {
    const key = objectKey(kind, namespace, name);
    return seen.has(key) && seen.get(key) === undefined;
  });
  if (missing !== undefined) {
    const message = `caCertificateRefs names ${missing.kind} ${namespace}/${missing.name}, which does not exist.`;
    return condition('ResolvedRefs', 'False', 'InvalidCACertificateRef', message);
  }
  return condition('ResolvedRefs', 'True', 'ResolvedRefs', 'Every reference leads to an object.');
}

function tlsAccepted(policy: BackendTLSPolicy, findings: readonly Finding[], resolved: Condition): Condition {
  const own = findingsOn(keyOf(policy), findings);
  const older = own.find((item) => item.reason === 'SlotLost');
  if (older !== undefined) return condition('Accepted', 'False', 'Conflicted', older.message);
  const [invalid] = own;
  if (invalid !== undefined) return condition('Accepted', 'False', 'Invalid', invalid.message);
  if (resolved.status === 'False') {
    return condition('Accepted', 'False', 'NoValidCACertificate', 'None of the CA certificates can be used.');
  }
  return condition('Accepted', 'True', 'Accepted', 'The policy applies.');
}

/** A Gateway as an ancestor: the whole of it, whichever section the route names. */
function gatewayRef({ ref }: RouteParent, namespace: string): Reference {
  return {
    group: 'gateway.networking.k8s.io',
    kind: 'Gateway',
    namespace: ref.namespace ?? namespace,
    name: ref.name,
  };
}

/**
 * What a route says of the BackendTLSPolicies of its Services: one entry for each of its Gateways that takes it, as the
 * Gateway API recommends.
 */
export function tlsPolicyReports(
  namespace: string,
  services: ReadonlySet<string>,
  parents: readonly RouteParent[],
  seen: Seen,
  findings: readonly Finding[],
): readonly StatusReport[] {
  const gateways = new Map(
    parents
      .filter((parent) => parent.accepted)
      .map((parent) => gatewayRef(parent, namespace))
      .map((ref) => [`${ref.namespace}/${ref.name}`, ref]),
  );
  if (gateways.size === 0) return [];
  const policies = seenOfKind(seen, 'BackendTLSPolicy').filter(({ metadata, spec }) =>
    (spec?.targetRefs ?? []).some(
      ({ kind, name }) => kind === 'Service' && services.has(`${metadata.namespace}/${name}`),
    ),
  );
  return policies.map((policy) => {
    const resolved = authorities(policy, seen);
    const conditions = [tlsAccepted(policy, findings, resolved), resolved];
    const ancestors = [...gateways.values()].map((ref) => ({ ref, conditions }));
    return {
      object: keyOf(policy),
      content: { family: 'ancestors', ...aboutOf(policy), ancestors, programmed: false },
    };
  });
}
