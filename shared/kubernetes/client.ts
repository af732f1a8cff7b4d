import type { KubernetesConfig } from '../config.ts';
import { isRecord } from '../json.ts';
import { NotServed, discoveredVersions, inServedVersion } from './discovery.ts';
import { httpTransport } from './http.ts';
import { type ObjectList, type Source, listAll, refused } from './list.ts';
import { parseObject } from './object.ts';
import { objectPath } from './path.ts';
import type { Kind, KubernetesObject } from './resources.ts';
import type { Selection } from './selection.ts';
import { type StatusPatch, type StatusWrite, patchStatus } from './status.ts';
import { type ApiResponse, type RetryPolicy, type Transport, DEFAULT_RETRY, retrying } from './transport.ts';

/** A cluster's API server, as far as the functions use it. */
export interface KubernetesClient {
  /** HTTP requests sent so far, repeated ones included. */
  readonly requests: number;
  /**
   * An object (also one that is being deleted), or undefined when it is known not to exist. Throws KUBERNETES_* errors
   * when that cannot be known.
   */
  get(kind: Kind, namespace: string, name: string): Promise<KubernetesObject | undefined>;
  /** Every object of a selection; see `listAll`. */
  list(kind: Kind, selection: Selection): Promise<ObjectList>;
  /** Sets fields of an object's status; see `patchStatus`. */
  patchStatus(patch: StatusPatch): Promise<StatusWrite>;
  /** Any other request, repeated after 429, 5xx and lost connections; the answer's status is the caller's to judge. */
  readonly send: Transport;
  /** Ends kept connections. */
  close(): void;
}

/** A 404 that speaks of the object: a Status that names it. Other 404s come from wrong paths, proxies, missing kinds. */
function isObjectMissing(response: ApiResponse, name: string): boolean {
  const { body } = response;
  if (!isRecord(body) || body['kind'] !== 'Status' || body['reason'] !== 'NotFound') return false;
  return isRecord(body['details']) && body['details']['name'] === name;
}

async function read(source: Source, kind: Kind, path: string, name: string): Promise<KubernetesObject | undefined> {
  const response = await source.send({ method: 'GET', path });
  if (response.status === 200) return parseObject(kind, response.body);
  if (response.status !== 404) throw refused('GET', path, response);
  if (isObjectMissing(response, name)) return undefined;
  throw new NotServed('GET', path, response);
}

/** A client of one cluster. Holds connections; make one per function instance, and close it in scripts and tests. */
export function kubernetesClient(config: KubernetesConfig, retry: RetryPolicy = DEFAULT_RETRY): KubernetesClient {
  const transport = httpTransport(config);
  let requests = 0;
  const send = retrying((request) => {
    requests += 1;
    return transport.send(request);
  }, retry);
  const versions = discoveredVersions(send);
  const source = { send, versions };
  return {
    get requests() {
      return requests;
    },
    send,
    get: (kind, namespace, name) =>
      inServedVersion(versions, kind, (version) =>
        read(source, kind, objectPath(kind, namespace, name, version), name),
      ),
    list: (kind, selection) => listAll(source, kind, selection),
    patchStatus: (patch) => patchStatus(send, versions, patch),
    close: () => transport.close(),
  };
}
