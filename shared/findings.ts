import type { KubernetesObject, ObjectRef } from './kubernetes/resources.ts';
import type { Finding } from './translate/types.ts';

/** What a reason means for whoever wrote the object. */
export interface ReasonInfo {
  /** `error`: something is missing in Kong; `warning`: it is there, but not as written. */
  readonly severity: Finding['severity'];
  /** What to do, as a sentence. */
  readonly nextStep: string;
}

/** Every reason that a finding can have. Stable: Events, conditions, metrics and alerts name them. */
export const REASONS = {
  InvalidObject: { severity: 'error', nextStep: 'Correct the field; the object is left out until then.' },
  InvalidAnnotation: { severity: 'warning', nextStep: 'Correct or remove the annotation; it is ignored until then.' },
  InvalidTag: { severity: 'warning', nextStep: 'Use tags without "/" and control characters.' },
  InvalidHost: { severity: 'error', nextStep: 'Use a DNS name, with at most one "*" as its first or last label.' },
  InvalidPath: { severity: 'error', nextStep: 'Write a path that Kong takes; this path is left out until then.' },
  InvalidRoute: { severity: 'error', nextStep: 'Correct the annotations; the route is left out until then.' },
  InvalidCertificate: { severity: 'error', nextStep: 'Put a matching PEM pair into tls.crt and tls.key.' },
  InvalidCaCertificate: {
    severity: 'error',
    nextStep: 'Put a UUID into data.id and the PEM of one CA certificate into data.cert.',
  },
  InvalidName: { severity: 'error', nextStep: 'Rename the object; Kong takes letters, digits and ".-_~" in names.' },
  ServiceNotFound: { severity: 'error', nextStep: 'Create the Service or correct the reference.' },
  PortNotFound: { severity: 'error', nextStep: 'Name a port that the Service has.' },
  SecretNotFound: { severity: 'error', nextStep: 'Create the Secret or correct the reference.' },
  ConfigMapNotFound: { severity: 'error', nextStep: 'Create the ConfigMap or correct the reference.' },
  InvalidReference: { severity: 'warning', nextStep: 'Correct the reference; it is ignored until then.' },
  UnsupportedBackend: { severity: 'error', nextStep: 'Use a Service as the backend.' },
  InvalidProtocol: { severity: 'error', nextStep: 'Use a protocol that Kong knows and that fits the other settings.' },
  InconsistentAnnotations: {
    severity: 'error',
    nextStep: 'Give all Services of the backend the same value; the route is left out until then.',
  },
  InvalidPluginConfig: { severity: 'error', nextStep: 'Correct it; the plugin is left out until then.' },
  PluginNotFound: { severity: 'error', nextStep: 'Create the plugin or correct the reference.' },
  ReferenceNotGranted: { severity: 'error', nextStep: 'Create a ReferenceGrant in the namespace that is referred to.' },
  InvalidConsumer: { severity: 'error', nextStep: 'Set username or custom_id.' },
  ConsumerGroupNotFound: { severity: 'error', nextStep: 'Create the KongConsumerGroup or correct the reference.' },
  InvalidCredential: { severity: 'error', nextStep: 'Correct the Secret; the credential is left out until then.' },
  InvalidCredentialField: { severity: 'warning', nextStep: 'Correct the field; it is left out until then.' },
  UnsupportedByKong: { severity: 'error', nextStep: 'Use a Kong that has it, or remove the object.' },
  UpstreamPolicyNotFound: { severity: 'error', nextStep: 'Create the KongUpstreamPolicy or correct the reference.' },
  FacadeNotFound: {
    severity: 'error',
    nextStep: 'Create the KongServiceFacade with our class or correct the reference.',
  },
  NotAccepted: { severity: 'error', nextStep: 'Correct parentRefs, or allow the route in the Gateway.' },
  UnsupportedFilter: {
    severity: 'error',
    nextStep: 'Use a filter that Kong can express; the rule is left out until then.',
  },
  UnsupportedField: { severity: 'warning', nextStep: 'Remove it; the rest of the object is translated.' },
  UnsupportedMatch: { severity: 'error', nextStep: 'Use the expressions router or another match.' },
  IgnoredAnnotation: {
    severity: 'warning',
    nextStep: 'Use the matches of the object itself, or the traditional router.',
  },
  MissingRules: { severity: 'error', nextStep: 'Give the object at least one rule with a backend.' },
  KongIngressNotFound: { severity: 'error', nextStep: 'Create the KongIngress or use a KongUpstreamPolicy.' },
  Deprecated: { severity: 'warning', nextStep: 'Use what replaces it; it still works.' },
  FeatureGateOff: { severity: 'error', nextStep: 'Enable the feature gate or remove the setting.' },
  InvalidRewrite: { severity: 'error', nextStep: 'Correct the rewrite; the route is left out until then.' },
  NameCollision: {
    severity: 'error',
    nextStep: 'Rename one of the objects; both would get the same name in Kong.',
  },
  DuplicatePlugin: {
    severity: 'warning',
    nextStep: 'Name one plugin of a type only; the older one is used, and what a filter needs before both.',
  },
  SlotLost: {
    severity: 'warning',
    nextStep: 'Remove one of the two, or make them equal; the other one was there first.',
  },
  DependencyLost: {
    severity: 'error',
    nextStep: 'Use another Service or port; what this needs belongs to another object.',
  },
  KongEntityNotOurs: {
    severity: 'error',
    nextStep: 'Remove or rename that entity in Kong, or give it the filter tag to hand it over.',
  },
  KongRejected: { severity: 'error', nextStep: 'Correct what the fields come from; it is tried again then.' },
  KongDependencyRejected: { severity: 'error', nextStep: 'Correct the entity that Kong rejected; this follows.' },
  KongTypeMissing: {
    severity: 'error',
    nextStep: 'Use a Kong that has it (Enterprise, or the plugin that brings it), or remove it.',
  },
  KongEntityInUse: {
    severity: 'error',
    nextStep: 'Remove what refers to it in Kong; the delete is tried again.',
  },
  KongKeyHeld: {
    severity: 'error',
    nextStep: 'Remove one of the two objects, or give them different names or keys.',
  },
  SchemaViolation: { severity: 'error', nextStep: 'Correct the fields that Kong names.' },
  TranslationFailed: {
    severity: 'error',
    nextStep: 'This is a fault of ours; what the object had in Kong stays. Report it with the object.',
  },
} satisfies Record<string, ReasonInfo>;

export type Reason = keyof typeof REASONS;

/** Whether a finding's reason is in the table. */
export function isReason(reason: string): reason is Reason {
  return Object.hasOwn(REASONS, reason);
}

const LONGEST_DETAIL = 400;

/** `apps/v1` → group `apps`, version `v1`; `v1` → group `''`. */
export function groupVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.indexOf('/');
  if (slash < 0) return { group: '', version: apiVersion };
  return { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

/** The ref of an object as it stands. */
export function refOf(cluster: string, object: KubernetesObject): ObjectRef {
  return {
    cluster,
    ...groupVersion(object.apiVersion),
    kind: object.kind,
    namespace: object.metadata.namespace ?? '',
    name: object.metadata.name,
  };
}

/** `Ingress default/foo`, or `KongVault foo` for what has no namespace. */
export function display(ref: ObjectRef): string {
  return ref.namespace === '' ? `${ref.kind} ${ref.name}` : `${ref.kind} ${ref.namespace}/${ref.name}`;
}

/**
 * A finding on an object. `detail` names the field and what is wrong with it, without a full stop and without secret
 * text; the object's name goes before it and the reason's next step after it.
 */
export function finding(object: ObjectRef, reason: Reason, detail: string): Finding {
  const { severity, nextStep } = REASONS[reason];
  const short = detail.length > LONGEST_DETAIL ? `${detail.slice(0, LONGEST_DETAIL)}…` : detail;
  return { object, severity, reason, message: `${display(object)}: ${short}. ${nextStep}` };
}
