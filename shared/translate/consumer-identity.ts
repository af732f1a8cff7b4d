import type { KongConsumer } from '../kubernetes/kong-resources.ts';
import type { Plural } from './identity.ts';
import type { Slot } from './types.ts';

/** How Kong knows a KongConsumer. */
export interface Consumer {
  readonly object: KongConsumer;
  readonly slot: Slot;
  /** The username, else the custom_id. */
  readonly identifier: string;
  /** KIC derives an id from the username; a custom_id alone has none there and gets one of our own. */
  readonly plural: Plural;
}

/** Whether an object belongs to a control plane of another kind. */
export function isForOthers(spec: { readonly controlPlaneRef?: { readonly type?: string } } | undefined): boolean {
  const type = spec?.controlPlaneRef?.type;
  return type !== undefined && type !== 'kic';
}

/** The consumer of an object; undefined when it has neither username nor custom_id, or is not for us. */
export function consumerOf(object: KongConsumer): Consumer | undefined {
  if (isForOthers(object.spec)) return undefined;
  const { username = '', custom_id: customId = '' } = object;
  if (username !== '') {
    return { object, slot: `consumers/${username}`, identifier: username, plural: 'consumers' };
  }
  if (customId === '') return undefined;
  return { object, slot: `consumers/custom_id:${customId}`, identifier: customId, plural: 'customidconsumers' };
}
