import type { Finding } from '../translate/types.ts';
import { type Reason, isReason } from '../findings.ts';

/**
 * Findings for which a write is refused: what is wrong with the object itself. What only is not there yet (a Service, a
 * Secret, a Gateway that takes the route) is a warning, as objects are created in any order.
 */
const REFUSED: ReadonlySet<Reason> = new Set<Reason>([
  'InvalidObject',
  'InvalidHost',
  'InvalidPath',
  'InvalidRoute',
  'InvalidName',
  'InvalidProtocol',
  'InvalidRewrite',
  'InvalidPluginConfig',
  'InvalidConsumer',
  'InvalidCredential',
  'InvalidCaCertificate',
  'UnsupportedBackend',
  'UnsupportedFilter',
  'UnsupportedMatch',
  'NameCollision',
  'KongEntityNotOurs',
  'KongKeyHeld',
  'SchemaViolation',
]);

/** Refused for these kinds alone, where Kong Ingress Controller does (KIC §1.7). */
const REFUSED_FOR: Readonly<Record<string, ReadonlySet<Reason>>> = {
  KongConsumer: new Set<Reason>(['SecretNotFound']),
  KongConsumerGroup: new Set<Reason>(['UnsupportedByKong']),
  KongCustomEntity: new Set<Reason>(['UnsupportedByKong']),
  KongVault: new Set<Reason>(['UnsupportedByKong']),
};

/** The one annotation whose value Kong Ingress Controller checks; with other invalid ones the object works without them. */
const CHECKED_ANNOTATION = 'annotation konghq.com/protocols ';

/** Whether a write is refused for a finding; else it is a warning. */
export function refuses({ object, reason, message }: Finding): boolean {
  if (!isReason(reason)) return false;
  if (reason === 'InvalidAnnotation') return message.includes(CHECKED_ANNOTATION);
  return REFUSED.has(reason) || REFUSED_FOR[object.kind]?.has(reason) === true;
}

/** Findings that are there with the write and were not there before it: nobody is kept from changing what was wrong already. */
export function added(after: readonly Finding[], before: readonly Finding[]): readonly Finding[] {
  const known = new Set(before.map((item) => `${item.reason} ${item.message}`));
  return after.filter((item) => !known.has(`${item.reason} ${item.message}`));
}
