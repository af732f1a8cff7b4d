import { X509Certificate, createHash, createPrivateKey } from 'node:crypto';
import type { KubernetesObject, Secret } from '../kubernetes/resources.ts';
import { type Context, find, fullName, objectTags } from './context.ts';
import { entityId } from './identity.ts';
import { secretText } from './secret.ts';
import type { Rank, Slot } from './types.ts';

interface Pair {
  readonly cert: string;
  readonly key: string;
}

function matches({ cert, key }: Pair): boolean {
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    // Not PEM, an encrypted key or an unknown algorithm: the message could quote the key, so it is not kept.
    return false;
  }
}

const pairs = new WeakMap<Secret, Pair | 'invalid'>();

/** The Secret's certificate and key without surrounding white space, or undefined when they are not a pair. */
function pairOf(secret: Secret): Pair | undefined {
  const known = pairs.get(secret);
  if (known !== undefined) return known === 'invalid' ? undefined : known;
  const pair = {
    cert: (secretText(secret, 'tls.crt') ?? '').trim(),
    key: (secretText(secret, 'tls.key') ?? '').trim(),
  };
  const valid = pair.cert !== '' && pair.key !== '' && matches(pair);
  pairs.set(secret, valid ? pair : 'invalid');
  return valid ? pair : undefined;
}

/** The oldest Secret of a certificate text gives it its id; then the smallest UID (KIC 2.11). */
function secretRank(secret: Secret): Rank {
  return {
    class: 0,
    createdAt: secret.metadata.creationTimestamp ?? '',
    name: secret.metadata.uid ?? fullName(secret),
  };
}

/** The pair's slot: one certificate per text, however many Secrets hold it. */
function certificateSlot({ cert, key }: Pair): Slot {
  return `certificates/${createHash('sha256').update(cert).update(key).digest('hex')}`;
}

/**
 * Proposes the certificate of a TLS Secret and returns its slot; undefined, with findings on `user` and on the Secret,
 * when the Secret is missing or holds no valid pair. `field` names where the Secret is referred to.
 */
export function proposeCertificate(
  context: Context,
  user: KubernetesObject,
  field: string,
  namespace: string,
  name: string,
): Slot | undefined {
  const secret = find(context, 'Secret', namespace, name);
  if (secret === undefined) {
    context.report(user, 'SecretNotFound', `${field} names Secret ${namespace}/${name}, which does not exist`);
    return undefined;
  }
  const pair = pairOf(secret);
  if (pair === undefined) {
    const detail = 'tls.crt and tls.key are missing, no PEM or do not belong together';
    context.report(secret, 'InvalidCertificate', detail);
    context.report(user, 'InvalidCertificate', `${field} names Secret ${namespace}/${name}, whose ${detail}`);
    return undefined;
  }
  const slot = certificateSlot(pair);
  context.propose({
    slot,
    type: 'certificates',
    id: secret.metadata.uid ?? entityId('certificates', fullName(secret), context.options.workspace),
    body: { cert: pair.cert, key: pair.key },
    tags: objectTags(context, secret),
    refs: {},
    rank: secretRank(secret),
  });
  return slot;
}

/** Proposes an SNI; the first of one root that claims a name has it. Class 0 is Ingress, 1 Gateway (KIC). */
export function proposeSni(context: Context, name: string, certificate: Slot, rankClass: number): void {
  const slot = `snis/${name}`;
  if (context.proposed(slot)) return;
  context.propose({
    slot,
    type: 'snis',
    id: entityId('snis', name, context.options.workspace),
    body: { name },
    tags: [],
    refs: { certificate: { slot: certificate } },
    rank: context.rank(rankClass),
  });
}
