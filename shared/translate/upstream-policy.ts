import type { Json } from '../kong/entities.ts';
import type { KongUpstreamPolicy, UpstreamHash } from '../kubernetes/kong-resources.ts';
import type { Service } from '../kubernetes/resources.ts';
import { groupVersion } from '../findings.ts';
import { annotation } from './annotations.ts';
import { type Context, find } from './context.ts';
import { hasFeature } from './kong-features.ts';

/** Fields of a Kong upstream. */
export type UpstreamFields = { readonly [field: string]: Json | undefined };

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Field names as Kong spells them, at every depth; header maps keep theirs. */
function kongFields(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(kongFields);
  return Object.fromEntries(
    Object.entries(value).map(([field, item]) => [snakeCase(field), field === 'headers' ? item : kongFields(item)]),
  );
}

function hashInput(hash: UpstreamHash): string | undefined {
  if (hash.input !== undefined) return hash.input;
  if (hash.header !== undefined) return 'header';
  if (hash.cookie !== undefined) return 'cookie';
  if (hash.queryArg !== undefined) return 'query_arg';
  return hash.uriCapture === undefined ? undefined : 'uri_capture';
}

/** `hashOn` or `hashOnFallback`; cookie fields are shared by both (KIC 2.13). */
function hashFields(hash: UpstreamHash | undefined, prefix: 'hash_on' | 'hash_fallback'): UpstreamFields {
  if (hash === undefined) return {};
  return {
    [prefix]: hashInput(hash),
    [`${prefix}_header`]: hash.header,
    [`${prefix}_query_arg`]: hash.queryArg,
    [`${prefix}_uri_capture`]: hash.uriCapture,
    ...(hash.cookie === undefined ? {} : { hash_on_cookie: hash.cookie }),
    ...(hash.cookiePath === undefined ? {} : { hash_on_cookie_path: hash.cookiePath }),
  };
}

function healthchecks(policy: KongUpstreamPolicy): Json | undefined {
  const checks = policy.spec?.healthchecks;
  if (checks === undefined) return undefined;
  const { active, passive, threshold } = checks;
  return {
    ...(active === undefined ? {} : { active: kongFields(active) }),
    ...(passive === undefined ? {} : { passive: kongFields(passive) }),
    ...(threshold === undefined ? {} : { threshold }),
  };
}

/** A KongUpstreamPolicy's fields as Kong spells them. */
export function policyFields(policy: KongUpstreamPolicy): UpstreamFields {
  const { algorithm, slots, hashOn, hashOnFallback, stickySessions } = policy.spec ?? {};
  return {
    ...(algorithm === undefined ? {} : { algorithm }),
    slots,
    ...hashFields(hashOnFallback, 'hash_fallback'),
    ...hashFields(hashOn, 'hash_on'),
    healthchecks: healthchecks(policy),
    sticky_sessions_cookie: stickySessions?.cookie,
    sticky_sessions_cookie_path: stickySessions?.cookiePath,
  };
}

/** What the KongUpstreamPolicy of the Services sets on their upstream; they name the same one, or none. */
export function upstreamPolicy(context: Context, services: readonly Service[]): UpstreamFields {
  const service = services.find((candidate) => (annotation(candidate, 'upstream-policy') ?? '') !== '');
  if (service === undefined) return {};
  const name = annotation(service, 'upstream-policy') ?? '';
  const policy = find(context, 'KongUpstreamPolicy', service.metadata.namespace ?? '', name);
  if (policy === undefined) {
    const detail = `annotation konghq.com/upstream-policy names KongUpstreamPolicy ${name}, which does not exist`;
    context.report(service, 'UpstreamPolicyNotFound', detail);
    return {};
  }
  if (policy.spec?.algorithm === 'sticky-sessions' && !hasFeature(context.options, 'stickySessions')) {
    context.report(policy, 'UnsupportedByKong', 'spec.algorithm is sticky-sessions, which needs Kong Enterprise 3.11');
    return {};
  }
  return policyFields(policy);
}

/** What the deprecated KongIngress of the Services sets on their upstream; not for Gateway API routes (KIC 2.18). */
export function upstreamOverride(context: Context, services: readonly Service[]): UpstreamFields {
  const service = services.find((candidate) => (annotation(candidate, 'override') ?? '') !== '');
  if (service === undefined) return {};
  const name = annotation(service, 'override') ?? '';
  context.report(service, 'Deprecated', `annotation konghq.com/override names KongIngress ${name}`);
  if (groupVersion(context.root.apiVersion).group === 'gateway.networking.k8s.io') return {};
  const override = find(context, 'KongIngress', service.metadata.namespace ?? '', name);
  if (override === undefined) {
    const detail = `annotation konghq.com/override names KongIngress ${name}, which does not exist`;
    context.report(service, 'KongIngressNotFound', detail);
  }
  return override?.upstream ?? {};
}
