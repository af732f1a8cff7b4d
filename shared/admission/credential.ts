import { display, finding, refOf } from '../findings.ts';
import type { Queryable } from '../index/database.ts';
import { refOfKey } from '../index/refs.ts';
import { isResource } from '../kubernetes/object.ts';
import type { KubernetesObject, Secret } from '../kubernetes/resources.ts';
import { CREDENTIAL_LABEL, credentialType, uniqueKey } from '../translate/credential.ts';
import { secretText } from '../translate/secret.ts';
import type { Finding } from '../translate/types.ts';
import { otherHolder } from './referrers.ts';

/** A Secret that says that it is a credential. `konnect` is one of Konnect's, which is nobody's business here (KIC §1.7). */
function isCredential(object: KubernetesObject): object is Secret {
  const label = object.metadata.labels?.[CREDENTIAL_LABEL];
  return label !== undefined && label !== 'konnect' && isResource('Secret', object);
}

/** Whether a credential's type is one of Kong's and the fields that the type needs are there. Pure. */
export function credentialFindings(cluster: string, object: KubernetesObject): readonly Finding[] {
  const problem = isCredential(object) ? credentialType(object) : undefined;
  return typeof problem === 'string' ? [finding(refOf(cluster, object), 'InvalidCredential', `it ${problem}`)] : [];
}

/** Whether another Secret's credential has the key already, whoever uses this one. At most one statement. */
export async function heldCredential(
  cluster: string,
  object: KubernetesObject,
  index: Queryable,
): Promise<readonly Finding[]> {
  const found = isCredential(object) ? credentialType(object) : undefined;
  if (found === undefined || typeof found === 'string' || !isCredential(object)) return [];
  const [, { entity, required, perConsumer }] = found;
  if (perConsumer === true) return [];
  const slot = `${entity}/${uniqueKey(secretText(object, required[0]) ?? '')}`;
  const holder = await otherHolder(index, slot, `${object.metadata.namespace ?? ''}/${object.metadata.name}`);
  if (holder === undefined) return [];
  const detail = `data.${required[0]} is that of another credential, of ${display(refOfKey(cluster, holder))}`;
  return [finding(refOf(cluster, object), 'KongKeyHeld', detail)];
}
