import { isRecord, type JsonRecord } from '../../../shared/json.ts';
import { kubernetesClient, type KubernetesClient } from '../../../shared/kubernetes/client.ts';
import type { Stack } from '../stack.ts';
import type { Cluster } from './cluster.ts';
import { until } from './meter.ts';
import { hostIngress, type Manifest } from './objects.ts';

/** What the step showed. */
export interface BrokenResult {
  readonly name: string;
  /** From the end of the change until the Event was there, ms. */
  readonly toldMs: number;
  /** The Event as `kubectl describe` prints it. */
  readonly line: string;
  /** It names what is missing, and what to do. */
  readonly held: boolean;
}

const TIMEOUT_MS = 30_000;
const MISSING = 'basket';

/** An Ingress of the shop that names a Service which nobody has made. */
function brokenIngress(): Manifest {
  const object = hostIngress('broken', 'broken.shop.example', '/');
  const text = JSON.stringify(object).replace('"name":"web"', `"name":"${MISSING}"`);
  const copy: Manifest = JSON.parse(text);
  return copy;
}

/** What `kubectl describe ingress` asks for: core/v1 Events by the object's name, kind and uid. */
async function eventsOf(client: KubernetesClient, namespace: string, name: string): Promise<readonly JsonRecord[]> {
  const object = await client.get('Ingress', namespace, name);
  const fields = { name, namespace, kind: 'Ingress', uid: object?.metadata.uid ?? '' };
  const fieldSelector = Object.entries(fields)
    .map(([field, value]) => `involvedObject.${field}=${value}`)
    .join(',');
  const path = `/api/v1/namespaces/${namespace}/events`;
  const { body } = await client.send({ method: 'GET', path, query: { fieldSelector } });
  return isRecord(body) && Array.isArray(body['items']) ? body['items'].filter(isRecord) : [];
}

/** Applies the broken Ingress, waits for its Event, and takes the Ingress away again. */
export async function showBroken(stack: Stack, cluster: Cluster): Promise<BrokenResult> {
  const client = kubernetesClient(stack.kubernetes);
  const object = brokenIngress();
  try {
    await cluster.apply(object);
    const changedAt = Date.now();
    const event = await until('the Event of the broken Ingress', TIMEOUT_MS, async () => {
      const [first] = await eventsOf(client, 'shop', 'broken');
      return first;
    });
    const { type, reason, message } = event;
    const line = [type, reason, message].map(String).join('  ');
    const held = line.includes(`Service shop/${MISSING} does not exist`) && line.includes('Create the Service');
    return { name: 'an Ingress names a Service that is not there', toldMs: Date.now() - changedAt, line, held };
  } finally {
    let gone = false;
    stack.cloud.onEvent(({ detail }) => {
      gone ||= isRecord(detail) && detail['operation'] === 'delete';
    });
    await cluster.remove(object);
    // What comes later would be counted among the changes of the next step.
    await until('the event of its end', TIMEOUT_MS, () => gone || undefined);
    await stack.cloud.idle(TIMEOUT_MS);
    client.close();
  }
}
