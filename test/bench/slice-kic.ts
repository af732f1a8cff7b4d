import { adminHttp } from '../../shared/kong/admin-http.ts';
import { nodesAt } from '../../shared/kong/admin-nodes.ts';
import { differences } from '../../shared/kong/differences.ts';
import { ENTITIES, type Body, type Entity, type EntityType } from '../../shared/kong/entities.ts';
import { isBody, text } from '../../shared/kong/json.ts';
import { collectionPath } from '../../shared/kong/paths.ts';
import { schemasFor } from '../../shared/kong/read.ts';
import { adminClient } from '../../shared/kong/admin.ts';
import { runSlice } from '../../shared/slice.ts';
import { translateAll } from '../../shared/translate/offline.ts';
import { ingress } from '../support/manifests.ts';
import { median, rounded } from './slice-run.ts';
import type { Site } from './slice-sites.ts';

/** The same change, made here and as Kong Ingress Controller makes it. */
export interface Comparison {
  readonly ingresses: number;
  /** To Kong alone: the controller reads Kubernetes from its own caches. */
  readonly kongRequests: number;
  readonly kongRequestsAsController: number;
  readonly requestsRatio: number;
  readonly ms: number;
  /** Without the translation of the whole cluster, which the controller repeats every 3 s. */
  readonly msAsController: number;
  readonly msRatio: number;
}

/** What the controller lists with its filter tags, each kind for itself (KIC §4.4.1), as far as Kong has it without Enterprise. */
const LISTED: readonly EntityType[] = [
  'services',
  'routes',
  'plugins',
  'certificates',
  'ca_certificates',
  'snis',
  'upstreams',
  'vaults',
  'consumers',
  'keyauth_credentials',
  'hmacauth_credentials',
  'jwt_secrets',
  'basicauth_credentials',
  'oauth2_credentials',
  'acls',
];

async function pagesOf(read: (path: string) => Promise<unknown>, first: string): Promise<readonly Body[]> {
  const found: Body[] = [];
  for (let path: string | undefined = first; path !== undefined;) {
    const page = await read(path);
    if (!isBody(page) || !Array.isArray(page.data)) throw new Error(`${path} did not answer a list`);
    found.push(...page.data.filter(isBody));
    path = text(page.next);
  }
  return found;
}

/** One sync as the controller does it (KIC §4.4): reads all of Kong, compares in memory, writes what differs. Gives its requests. */
async function syncAsController(
  { plane }: Site,
  desired: readonly Entity[],
): Promise<{ requests: number; writes: number }> {
  // All kinds at once in pages of 1,000 take a busy machine longer than a slice may wait.
  const config = { ...plane.config, adminTimeoutMs: 60_000 };
  const http = adminHttp(config);
  const admin = adminClient(config);
  const [node] = nodesAt(config.adminUrls);
  if (node === undefined) throw new Error('there is no Admin API');
  let requests = 0;
  const read = async (path: string): Promise<unknown> => {
    requests += 1;
    return (await http.send(node, { method: 'GET', path })).data;
  };
  try {
    const tags = config.filterTags.map(encodeURIComponent).join(',');
    const lists = await Promise.all(
      LISTED.map(async (type) => pagesOf(read, `${collectionPath(type)}?size=1000&tags=${tags}`)),
    );
    const upstreams = lists[LISTED.indexOf('upstreams')] ?? [];
    const targets: Body[] = [];
    for (const { id } of upstreams) {
      targets.push(...(await pagesOf(read, `${collectionPath('targets', text(id))}?size=1000&tags=${tags}`)));
    }
    const actual = new Map([...lists.flat(), ...targets].map((body) => [text(body.id) ?? '', body]));
    const schemas = await schemasFor(desired, admin);
    const changed = desired.filter((entity) => {
      const body = actual.get(entity.id);
      return body === undefined || differences(entity, body, schemas(entity)).length > 0;
    });
    for (const { type, id, body, tags: own } of changed.toSorted(
      (a, b) => ENTITIES[a.type].level - ENTITIES[b.type].level,
    )) {
      const written = await admin.put(type, id, { ...body, tags: own });
      if (!written.ok) throw new Error(written.rejection.message);
    }
    return { requests: requests + admin.requests(), writes: changed.length };
  } finally {
    http.close();
    admin.close();
  }
}

async function wanted({ plane }: Site): Promise<readonly Entity[]> {
  const { options, kong } = plane.dependencies;
  const { entities } = await translateAll(plane.cluster.objects(), options);
  return entities.map((entity) => ({ ...entity, tags: [...entity.tags, ...kong.filterTags] }));
}

/** An Ingress gets another path, again and again: once through a slice, once as the controller would do it. */
export async function compareWithController(site: Site, times: number): Promise<Comparison> {
  const { cluster, dependencies } = site.plane;
  const ours: { ms: number; requests: number }[] = [];
  const theirs: { ms: number; requests: number }[] = [];
  for (let time = 0; time < times; time += 1) {
    const change = cluster.put(ingress('edited', [`edited.test /slice-${time} echo 80`]));
    const begun = performance.now();
    const { cost, applied } = await runSlice({ changes: [change] }, dependencies);
    if (applied.length !== 1) throw new Error(`a slice wrote ${applied.length} entities`);
    ours.push({ ms: performance.now() - begun, requests: cost.kongRequests });
    cluster.put(ingress('edited', [`edited.test /controller-${time} echo 80`]));
    const desired = await wanted(site);
    const again = performance.now();
    const { requests, writes } = await syncAsController(site, desired);
    if (writes !== 1) throw new Error(`the controller's way wrote ${writes} entities`);
    theirs.push({ ms: performance.now() - again, requests });
  }
  const [requests, requestsAsController] = [ours, theirs].map((runs) => Math.max(...runs.map((run) => run.requests)));
  const [ms, msAsController] = [ours, theirs].map((runs) => median(runs.map((run) => run.ms)));
  return {
    ingresses: site.ingresses,
    kongRequests: requests ?? 0,
    kongRequestsAsController: requestsAsController ?? 0,
    requestsRatio: rounded((requestsAsController ?? 0) / (requests ?? 0), 1),
    ms: rounded(ms ?? 0, 1),
    msAsController: rounded(msAsController ?? 0, 1),
    msRatio: rounded((msAsController ?? 0) / (ms ?? 0), 1),
  };
}
