import type { BackendRef } from '../kubernetes/gateway-resources.ts';
import { each } from './answers.ts';
import type { Backend } from './backend.ts';
import { type Context, find } from './context.ts';
import { pluginIdentity } from './plugin.ts';
import { isGranted } from './reference-grant.ts';
import type { KongService } from './service.ts';

/** The ref as a backend; undefined, with a finding, when it cannot be used (KIC 2.4.3). */
function usableBackend(context: Context, ref: BackendRef, field: string): Backend | undefined {
  const { group = '', kind, name, port, weight } = ref;
  if (kind !== 'Service' || (group !== '' && group !== 'core')) {
    context.report(
      context.root,
      'UnsupportedBackend',
      `${field} is of kind ${kind ?? '(none)'}, which cannot be a backend`,
    );
    return undefined;
  }
  const own = context.root.metadata.namespace ?? '';
  const namespace = ref.namespace ?? own;
  if (!isGranted(context, context.root, { group: '', kind: 'Service', namespace, name })) {
    const detail = `${field} names Service ${namespace}/${name}, which no ReferenceGrant there allows`;
    context.report(context.root, 'ReferenceNotGranted', detail);
    return undefined;
  }
  if (find(context, 'Service', namespace, name) === undefined) {
    context.report(
      context.root,
      'ServiceNotFound',
      `${field} names Service ${namespace}/${name}, which does not exist`,
    );
    return undefined;
  }
  // A port that is missing is found on no Service, which is a finding there.
  return {
    namespace,
    name,
    port: { by: 'number', number: port ?? -1 },
    ...(weight === undefined ? {} : { weight }),
  };
}

/** The refs of a rule that can be used. */
export function usableBackends(context: Context, refs: readonly BackendRef[], field: string): readonly Backend[] {
  const backends = each(refs, (ref, index) => usableBackend(context, ref, `${field}[${index}]`));
  return backends.filter((backend) => backend !== undefined);
}

/** Answers 500 in place of backends of which none can be used (KIC 2.3.5). */
export function proposeTermination(context: Context, service: KongService): void {
  context.propose({
    ...pluginIdentity(context, 'request-termination', { service }),
    body: {
      name: 'request-termination',
      config: { status_code: 500, message: 'no existing backendRef provided' },
    },
    tags: [],
  });
}
