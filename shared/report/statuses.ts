import type { Converged } from '../convergence/converge.ts';
import type { Queryable } from '../index/database.ts';
import {
  dueStatuses,
  markStatuses,
  rememberPublished,
  statusesOf,
  touchStatuses,
  type StatusMark,
  type StatusRow,
} from '../index/reports.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { objectKey, type Key } from '../kubernetes/keys.ts';
import { isResource } from '../kubernetes/object.ts';
import type { KubernetesObject, Service } from '../kubernetes/resources.ts';
import { inParallel } from '../parallel.ts';
import type { SliceResult } from '../slice.ts';
import type { StatusConfig } from '../status/config.ts';
import { proofOf } from '../status/proof.ts';
import { published } from '../status/published.ts';
import type { Published } from '../status/render.ts';
import type { Reporter, ReportLogger } from './report.ts';
import { writeStatus, type StatusTools } from './write-status.ts';

/** What statuses are written with. */
export interface StatusParts {
  readonly index: Queryable;
  readonly kubernetes: Pick<KubernetesClient, 'get' | 'patchStatus'>;
  readonly config: StatusConfig;
  /** ms since the epoch. */
  readonly now?: () => number;
}

/** Objects whose status is written at a time. */
const AT_ONCE = 8;
/** Statuses that are read at once, and that a run after slices writes at most: converge goes on with the rest. */
const MOST = 200;
/** Below this time no further part is begun after a convergence, ms. */
const ENOUGH_MS = 10_000;
const ADDRESSED = ['Ingress', 'TCPIngress', 'UDPIngress', 'Gateway'];

async function serviceOf({ kubernetes }: StatusParts, name: string | undefined): Promise<Service | undefined> {
  if (name === undefined) return undefined;
  const [namespace = '', service = ''] = name.split('/');
  const object = await kubernetes.get('Service', namespace, service);
  return object !== undefined && isResource('Service', object) ? object : undefined;
}

async function readPublished(parts: StatusParts): Promise<Published> {
  const { config } = parts;
  const [tcp, udp] = await Promise.all([serviceOf(parts, config.service), serviceOf(parts, config.udpService)]);
  return published(config, { tcp, udp });
}

/** The tools of one run; the Services before Kong are read once, when the first status needs them. */
function toolsOf(parts: StatusParts, logger: ReportLogger, proof: StatusTools['proof']): StatusTools {
  const { index, kubernetes, config, now = Date.now } = parts;
  let addresses: Promise<Published> | undefined;
  return {
    index,
    kubernetes,
    controller: config.controller,
    now,
    proof,
    published: () => (addresses ??= readPublished(parts)),
    onInvalid: (object, reason) => logger.warn('the API server does not take a status', { object, reason }),
  };
}

/** Writes statuses, and remembers what was written also when one fails. Gives how many were dealt with. */
async function writeAll(
  rows: readonly StatusRow[],
  known: ReadonlyMap<Key, KubernetesObject>,
  tools: StatusTools,
): Promise<number> {
  const marks: StatusMark[] = [];
  try {
    await inParallel(AT_ONCE, rows, async (row) => {
      const mark = await writeStatus(row, known.get(row.object), tools);
      if (mark !== undefined) marks.push(mark);
    });
  } finally {
    await markStatuses(tools.index, marks);
  }
  return marks.length;
}

function plainProof(revision: string): string {
  return `Every live data plane was proven to run revision ${revision}.`;
}

/** Whether a slice has seen that a Service before Kong changed. */
function movesAddresses(slices: readonly SliceResult[], { service, udpService }: StatusConfig): boolean {
  const keys = [service, udpService].flatMap((name) => {
    const [namespace = '', own = ''] = name?.split('/') ?? [];
    return name === undefined ? [] : [objectKey('Service', namespace, own)];
  });
  return slices.some(({ changed }) => keys.some((key) => changed.includes(key)));
}

async function tellOf(slices: readonly SliceResult[], parts: StatusParts, logger: ReportLogger): Promise<void> {
  const objects = [...new Set(slices.flatMap((slice) => slice.statuses))];
  const moved = movesAddresses(slices, parts.config);
  if (moved) await touchStatuses(parts.index, ADDRESSED);
  if (objects.length === 0 && !moved) return;
  const rows = moved ? await dueStatuses(parts.index, MOST) : await statusesOf(parts.index, objects.slice(0, MOST));
  const known = new Map(slices.flatMap((slice) => [...slice.objects]));
  await writeAll(rows, known, toolsOf(parts, logger, plainProof));
}

export interface StatusReporter extends Reporter {
  /** After a convergence. */
  converged(result: Converged, logger: ReportLogger): Promise<void>;
}

/**
 * Writes the statuses of objects (DESIGN §5 step 6): after slices, of those that have something new to say; after a
 * convergence, of those that waited for it, and of those that an earlier run could not write. Each status is written
 * only when its content changes. Rejects with KUBERNETES_* and INDEX_* errors; what was not written is written later.
 */
export function statusReporter(parts: StatusParts): StatusReporter {
  return {
    name: 'statuses',
    tell: (slices, logger) => tellOf(slices, parts, logger),
    converged: async (result, logger) => {
      const { now = Date.now } = parts;
      const tools = toolsOf(parts, logger, (revision) => proofOf(revision, result) ?? plainProof(revision));
      const until = now() + ENOUGH_MS;
      const where = await tools.published();
      const text = JSON.stringify([where.addresses, where.udpAddresses, where.gateway([]), [...(where.ports ?? [])]]);
      if (await rememberPublished(parts.index, text)) await touchStatuses(parts.index, ADDRESSED);
      let left = true;
      while (left && now() < until) {
        const rows = await dueStatuses(parts.index, MOST);
        left = (await writeAll(rows, new Map(), tools)) > 0 && rows.length === MOST;
      }
    },
  };
}
