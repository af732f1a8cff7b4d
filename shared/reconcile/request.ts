import { isRecord } from '../json.ts';

/** What the schedule, a rule of the bus, or somebody who invokes the function asks for. */
export interface Request {
  /** Releases the delete brake. */
  readonly force: boolean;
  /** When the bus took a ReconcileRequested event, ms since the epoch; undefined for anybody else, who gets a run at once. */
  readonly requestedAt: number | undefined;
  /** The cluster that is meant; undefined for every one of the deployment. */
  readonly cluster: string | undefined;
}

/** The bus gives whole seconds, and its clock and the function's are not the same one. */
const CLOCK_MS = 2_000;

/** The request in what Lambda hands over. Pure. */
export function parseRequest(event: unknown): Request {
  if (!isRecord(event)) return { force: false, requestedAt: undefined, cluster: undefined };
  const { force, time, detail } = event;
  const { cluster } = isRecord(detail) ? detail : event;
  const requested = event['detail-type'] === 'ReconcileRequested' && typeof time === 'string' ? Date.parse(time) : NaN;
  return {
    force: force === true,
    requestedAt: Number.isNaN(requested) ? undefined : requested,
    cluster: typeof cluster === 'string' ? cluster : undefined,
  };
}

/**
 * Whether a run that began its lists at `begunAt` (ms since the epoch) has seen what a request is about: a deleted
 * namespace makes one request a kind, and one run answers them all. Pure.
 */
export function isAnswered(
  { force, requestedAt }: Pick<Request, 'force' | 'requestedAt'>,
  begunAt: number | undefined,
): boolean {
  return !force && requestedAt !== undefined && begunAt !== undefined && begunAt > requestedAt + CLOCK_MS;
}
