import { AppError } from '../errors.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { liveLookup } from '../kubernetes/live.ts';
import type { EndpointSlice } from '../kubernetes/resources.ts';
import type { LiveSet, Pod } from './live-verdict.ts';

/** The Service that the data planes' pods belong to. */
export interface DataPlaneService {
  readonly namespace: string;
  readonly name: string;
}

/** Lists the data planes' pods. Rejects with KUBERNETES_* errors. */
export type PodLister = () => Promise<readonly Pod[]>;

/** Ready pods that do not terminate. */
function podsOf(slices: readonly EndpointSlice[]): readonly Pod[] {
  const pods = slices.flatMap(({ endpoints }) =>
    (endpoints ?? [])
      .filter(({ conditions }) => conditions?.ready !== false && conditions?.terminating !== true)
      .map(({ targetRef, addresses }): Pod => ({ name: targetRef?.name ?? '', ip: addresses?.[0] ?? '' })),
  );
  return [...new Map(pods.map((pod) => [pod.ip, pod])).values()];
}

/** Lists the pods of a Service by its EndpointSlices. */
export function podLister(service: DataPlaneService, kubernetes: Pick<KubernetesClient, 'get' | 'list'>): PodLister {
  const name = `${service.namespace}/${service.name}`;
  return async () => podsOf(await liveLookup(kubernetes).list('EndpointSlice', { service: name }));
}

/** The live set of this run, and why pods could not be listed: then nothing may be taken for "nobody there". */
export async function liveNow(
  fallback: LiveSet,
  pods: PodLister | undefined,
): Promise<{ readonly live: LiveSet; readonly failure: AppError | undefined }> {
  if (pods === undefined) return { live: fallback, failure: undefined };
  try {
    return { live: { kind: 'pods', pods: await pods() }, failure: undefined };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { live: fallback, failure: error };
  }
}
