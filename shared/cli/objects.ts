import { isKind, KINDS } from '../kubernetes/kinds.ts';
import type { Kind, ObjectRef } from '../kubernetes/resources.ts';
import { badArguments } from './arguments.ts';

/** How objects are named on the command line. */
export const OBJECT = 'KIND/NAMESPACE/NAME';

/** The kind by its name or plural, whatever the case. */
function kindOf(text: string): Kind | undefined {
  const wanted = text.toLowerCase();
  return Object.keys(KINDS)
    .filter(isKind)
    .find((kind) => kind.toLowerCase() === wanted || KINDS[kind].plural === wanted);
}

/** The object that an argument like `ingress/shop/web` names. Throws ARGUMENTS_INVALID with the command's usage. */
export function refOf(argument: string, cluster: string, usage: string): ObjectRef {
  const parts = argument.split('/');
  const kind = kindOf(parts[0] ?? '');
  if (kind === undefined) throw badArguments(`${argument}: ${parts[0] ?? ''} is no kind that is translated`, usage);
  const { group, version, namespaced } = KINDS[kind];
  if (parts.length !== (namespaced ? 3 : 2) || parts.includes('')) {
    throw badArguments(`${argument} is not ${kind}/${namespaced ? 'NAMESPACE/' : ''}NAME`, usage);
  }
  const [namespace, name] = namespaced ? [parts[1] ?? '', parts[2] ?? ''] : ['', parts[1] ?? ''];
  return { cluster, group, version, kind, namespace, name };
}
