import type { KubernetesObject } from '@kubernetes/client-node';
import { isRecord } from '../../../shared/json.ts';
import type { KongNode } from '../kong/index.ts';
import type { Stack } from '../stack.ts';
import { kongIngress } from './cli.ts';
import { readManifest, type Cluster } from './cluster.ts';
import { until, type Meter, type Reading } from './meter.ts';
import { send } from './probe.ts';

/** Something that was to be seen, and whether it was. */
interface Check {
  readonly says: string;
  readonly held: boolean;
  readonly saw: string;
}

/** What happened while a data plane was cut off, or after it came back. */
export interface CutOffResult extends Pick<Reading, 'events' | 'writes' | 'httpRequests' | 'sqlStatements'> {
  readonly name: string;
  /** What the status page calls the data plane, and after how long, ms. */
  readonly state: string;
  readonly afterMs: number;
  readonly checks: readonly Check[];
}

const HOST = 'cut.shop.example';
const ROUTE = 'httproute/shop/cut';
const TIMEOUT_MS = 30_000;

interface Tools {
  readonly stack: Stack;
  readonly cluster: Cluster;
  readonly meter: Meter;
  /** The data plane that is cut off. */
  readonly node: KongNode;
  readonly route: KubernetesObject;
}

/**
 * How a data plane is lost here. A traditional node that cannot read the database does not show it; what can be seen of
 * it is its Admin API, so that there the node is stopped.
 */
const LOST = {
  hybrid: {
    state: 'partitioned',
    code: 2,
    begin: (node: KongNode) => node.pause(),
    end: async (node: KongNode) => node.resume(),
  },
  traditional: {
    state: 'unknown',
    code: 3,
    begin: (node: KongNode) => node.stop(),
    end: (node: KongNode) => node.start(),
  },
} as const;

/** The states of the data planes as the status page has them, by node. */
async function shown({ stack }: Tools): Promise<ReadonlyMap<string, string>> {
  const answer = await fetch(`${stack.cloud.httpUrl}/status.json`, {
    headers: { authorization: `Bearer ${stack.status.token}` },
  });
  const value: unknown = await answer.json();
  const planes = isRecord(value) && Array.isArray(value['dataPlanes']) ? value['dataPlanes'] : [];
  return new Map(planes.filter(isRecord).map((plane) => [String(plane['name']), String(plane['state'])] as const));
}

/** What verdicts call a node. */
function nameOf({ name, adminUrl }: KongNode): string {
  return adminUrl === undefined ? name : new URL(adminUrl).host;
}

/** Judges until the page shows the node in this state and all others as converged. */
function becomes(tools: Tools, state: string): Promise<true> {
  const own = nameOf(tools.node);
  return until(`${own} is shown as ${state}`, TIMEOUT_MS, async () => {
    await tools.stack.cloud.tick('converge');
    const states = await shown(tools);
    const others = [...states].filter(([name]) => name !== own).every(([, item]) => item === 'converged');
    return others && states.get(own) === state ? true : undefined;
  });
}

/** The status of the route's condition `Programmed`; undefined while it has none. */
async function programmed({ cluster, route }: Tools): Promise<unknown> {
  const object: unknown = await cluster.read(route);
  const status = isRecord(object) ? object['status'] : undefined;
  const parents = isRecord(status) && Array.isArray(status['parents']) ? status['parents'] : [];
  const conditions = parents.filter(isRecord).flatMap(({ conditions: all }) => (Array.isArray(all) ? all : []));
  return conditions.filter(isRecord).find(({ type }) => type === 'Programmed')?.['status'];
}

async function waits({ stack }: Tools, timeout: string, code: number): Promise<Check> {
  const ended = await kongIngress(stack, ['wait', '--for', 'converged', '--timeout', timeout, ROUTE]);
  const says = `kong-ingress wait --for converged --timeout ${timeout} ${ROUTE} ends with ${code}: ${ended.says}`;
  return { says, held: ended.code === code, saw: String(ended.code) };
}

async function condition(tools: Tools, wanted: 'True' | 'False'): Promise<Check> {
  const saw = await programmed(tools);
  return { says: `HTTPRoute shop/cut has Programmed: ${wanted}`, held: saw === wanted, saw: String(saw) };
}

/** Whether every proxy that can be reached answers on the route as it is to. */
async function served({ stack, node }: Tools, without: boolean): Promise<Check> {
  const proxies = stack.kong.proxies.filter(({ name }) => !without || name !== node.name);
  const answers = await Promise.all(
    proxies.map(({ http }) => send(http, { scheme: 'http', host: HOST, path: '/' }).then(({ status }) => status)),
  );
  const says = `http://${HOST}/ is served by ${proxies.map(({ name }) => name).join(' and ')}`;
  return { says, held: answers.every((status) => status === 200), saw: answers.join(', ') };
}

async function whileLost(tools: Tools): Promise<CutOffResult> {
  const { stack, cluster, meter, node, route } = tools;
  const { state, code, begin } = LOST[stack.topology];
  await stack.cloud.idle(TIMEOUT_MS);
  await begin(node);
  meter.read();
  const changedAt = Date.now();
  await cluster.apply(route);
  await until('the route has a status', TIMEOUT_MS, () => programmed(tools));
  await stack.cloud.idle(TIMEOUT_MS);
  const reading = meter.read();
  await becomes(tools, state);
  const afterMs = Date.now() - changedAt;
  const page = {
    says: `the status page shows ${nameOf(node)} as ${state}, the other as converged`,
    held: true,
    saw: '',
  };
  const checks = [page, await waits(tools, '0s', code), await condition(tools, 'False'), await served(tools, true)];
  return { ...reading, name: `${node.name} is cut off, an HTTPRoute appears`, state, afterMs, checks };
}

async function onceBack(tools: Tools): Promise<CutOffResult> {
  const { stack, meter, node } = tools;
  meter.read();
  const backAt = Date.now();
  await LOST[stack.topology].end(node);
  const waited = await waits(tools, '60s', 0);
  const afterMs = Date.now() - backAt;
  await becomes(tools, 'converged');
  const checks = [waited, await condition(tools, 'True'), await served(tools, false)];
  return { ...meter.read(), name: `${node.name} is back`, state: 'converged', afterMs, checks };
}

/**
 * Cuts a data plane off, changes something meanwhile, and lets it come back: what the page, the command line and the
 * route's status say. Nothing with a real Kong, which is not ours to cut off.
 */
export async function showCutOff(stack: Stack, cluster: Cluster, meter: Meter): Promise<readonly CutOffResult[]> {
  const node = stack.kong.standIn?.nodes[1];
  const [route] = await readManifest(new URL('cut-off.yaml', import.meta.url), { HOST });
  if (node === undefined || route === undefined) return [];
  const tools = { stack, cluster, meter, node, route };
  return [await whileLost(tools), await onceBack(tools)];
}
