import type { KongConfig } from '../config.ts';
import { AppError } from '../errors.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { liveLookup } from '../kubernetes/live.ts';
import type { AdminNode, AdminNodes } from './admin-nodes.ts';
import { fixedNodes, nodesAt } from './admin-nodes.ts';
import { probe } from './admin-probe.ts';
import { adminNodesOf } from './discovery.ts';
import { byDatabase } from './discovery-database.ts';
import type { AnsweringNode } from './discovery-database.ts';
import type { KongRoot } from './root.ts';

/** How old what is known of the nodes may get before it is looked up again, ms. */
const FRESH_MS = 10_000;
/** How old it may get while it cannot be looked up, ms. */
const TOLERATED_MS = 60_000;

/** Lists the control plane's nodes, those included that do not answer or use another database. */
export type NodeLister = () => Promise<readonly AdminNode[]>;

/**
 * The nodes of `config`: its addresses, or the ready pods of its Service now. Rejects with KUBERNETES_* errors, and with
 * KONG_ADMIN_NOT_FOUND when the Service has no such pod.
 */
export function nodeLister(config: KongConfig, kubernetes: Pick<KubernetesClient, 'get' | 'list'>): NodeLister {
  const { adminService, adminUrls } = config;
  if (adminService === undefined) return () => Promise.resolve(nodesAt(adminUrls));
  const service = `${adminService.namespace}/${adminService.name}`;
  return async () => {
    const nodes = adminNodesOf(await liveLookup(kubernetes).list('EndpointSlice', { service }), adminService);
    if (nodes.length > 0) return nodes;
    const ports = adminService.portNames.join(' or ');
    throw new AppError('KONG_ADMIN_NOT_FOUND', `Service ${service} has no ready pod with a port named ${ports}`);
  };
}

/** What discovery needs from outside. */
export interface Discovery {
  readonly list: NodeLister;
  /** A node's `GET /`, or why there is none. */
  readonly probe: (node: AdminNode) => Promise<KongRoot | AppError>;
  readonly databaseUrl: string;
  /** Told once of every disagreement about the database. */
  readonly disagreed: (message: string) => void;
  /** ms, of any origin. */
  readonly clock: () => number;
}

/** What a node answered when it was asked last. */
interface Answer {
  readonly root: KongRoot | AppError;
  /** By the clock, ms. */
  readonly at: number;
}

type Answers = ReadonlyMap<string, Answer>;

/** Asks the nodes whose answer is not known; one that gave none is asked again after a minute, as that can take 6 s. */
async function ask(nodes: readonly AdminNode[], known: Answers, discovery: Discovery): Promise<Answers> {
  const answers = nodes.map(async (node): Promise<readonly [string, Answer]> => {
    const before = known.get(keyOf(node));
    const now = discovery.clock();
    const kept = before !== undefined && (!(before.root instanceof AppError) || now - before.at < TOLERATED_MS);
    return [keyOf(node), kept ? before : { root: await discovery.probe(node), at: now }];
  });
  return new Map(await Promise.all(answers));
}

function answering(nodes: readonly AdminNode[], answers: Answers): readonly AnsweringNode[] {
  return nodes.flatMap((node) => {
    const root = answers.get(keyOf(node))?.root;
    return root === undefined || root instanceof AppError ? [] : [{ node, root }];
  });
}

/** Pods are known by name and address, as addresses are given again. */
function keyOf({ url, name }: AdminNode): string {
  return `${name} ${url}`;
}

function firstFailure(answers: Answers): AppError {
  const failure = [...answers.values()].find(({ root }) => root instanceof AppError)?.root;
  return failure instanceof AppError ? failure : new AppError('KONG_UNREACHABLE', 'no node of the Admin API answers');
}

/** What is known of the nodes. */
interface Known {
  readonly nodes: readonly AdminNode[];
  readonly answers: Answers;
  readonly lookedAt: number;
  readonly disagreement: string | undefined;
}

const NOTHING: Known = {
  nodes: [],
  answers: new Map(),
  lookedAt: Number.NEGATIVE_INFINITY,
  disagreement: undefined,
};

async function look(discovery: Discovery, before: Known): Promise<Known> {
  const listed = await discovery.list();
  const answers = await ask(listed, before.answers, discovery);
  const found = answering(listed, answers);
  if (found.length === 0) throw firstFailure(answers);
  const { usable, disagreement } = byDatabase(found, discovery.databaseUrl);
  if (disagreement !== undefined && disagreement !== before.disagreement) discovery.disagreed(disagreement);
  return { nodes: usable.map(({ node }) => node), answers, lookedAt: discovery.clock(), disagreement };
}

/** What a look that failed leaves: what was known, while that is young enough to be believed. */
function remembered(before: Known, now: number, error: unknown): Known {
  if (before.nodes.length === 0 || now - before.lookedAt > TOLERATED_MS) throw error;
  return before;
}

/**
 * Nodes that answer and use one database, looked up again when that is older than 10 s or one did not answer. What
 * cannot be looked up again is believed for a minute. `list` rejects with KONG_DATABASES_DIFFER when no database is the one.
 */
export function discoveredNodes(discovery: Discovery): AdminNodes {
  let known = NOTHING;
  let stale = true;
  let running: Promise<Known> | undefined;
  const refresh = async (): Promise<Known> => {
    // One that stopped answering may come back as another node, on another database.
    const before = stale ? { ...known, answers: NOTHING.answers } : known;
    stale = false;
    known = await look(discovery, before).catch((error: unknown) => {
      stale = true;
      return remembered(known, discovery.clock(), error);
    });
    return known;
  };
  return {
    list: async () => {
      const age = discovery.clock() - known.lookedAt;
      if (stale || age < 0 || age > FRESH_MS) {
        running ??= refresh().finally(() => {
          running = undefined;
        });
        await running;
      }
      if (known.nodes.length > 0) return known.nodes;
      throw new AppError('KONG_DATABASES_DIFFER', known.disagreement ?? 'no node of the Admin API answers');
    },
    unanswered: () => {
      stale = true;
    },
  };
}

/**
 * The nodes that take requests for `config`. A single address is believed; several are asked for their database first,
 * as the pods of a Service are. `disagreed` is told when they name different ones.
 */
export function adminNodes(
  config: KongConfig,
  kubernetes: Pick<KubernetesClient, 'get' | 'list'>,
  disagreed: (message: string) => void,
): AdminNodes {
  if (config.adminService === undefined && config.adminUrls.length < 2) return fixedNodes(nodesAt(config.adminUrls));
  return discoveredNodes({
    list: nodeLister(config, kubernetes),
    probe: (node) => probe(config, node),
    databaseUrl: config.databaseUrl,
    disagreed,
    // A monotonic clock may stand still while Lambda has the instance frozen.
    clock: () => Date.now(),
  });
}
