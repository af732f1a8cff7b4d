import { AppError } from '../errors.ts';
import { finding } from '../findings.ts';
import type { ActualState } from '../kong/actual.ts';
import type { AdminClient, Written } from '../kong/admin.ts';
import type { Child } from '../kong/children.ts';
import type { Body } from '../kong/entities.ts';
import type { Pacer } from '../kong/pacer.ts';
import { inParallel } from '../parallel.ts';
import { blamed } from './blame.ts';
import { inUse } from './apply/in-use.ts';
import { subject } from './plan.ts';
import type { Change, Desired, Outcome, Plan } from './types.ts';
import { dependencyOf } from './dependencies.ts';
import { writeTarget } from './apply/target.ts';

/** Where a plan is written to, and what has to be read while writing. */
export interface Writer {
  readonly admin: AdminClient;
  readonly actual: ActualState;
  /** Parallel requests inside a level. */
  readonly concurrency: number;
  /** Keeps long runs from outrunning Kong's events; full speed without one. */
  readonly pace?: Pacer;
}

/** What the caller wants to do in between. A hook that rejects ends the run like an unreachable Kong. */
export interface ApplyHooks {
  /** Before each level's first write, for instance to make sure that the lock is still held. */
  beforeLevel?(level: readonly Change[]): Promise<void>;
  /** After each write that Kong took. */
  applied?(change: Change): Promise<void>;
}

/** A plan that was cut short by something that may pass: what was written stays, the next run writes the rest. */
export class ApplyInterrupted extends AppError {
  readonly outcome: Outcome;

  constructor(outcome: Outcome, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super('KONG_WRITE_INTERRUPTED', `${outcome.applied.length} changes were written, then: ${why}`, { cause });
    this.outcome = outcome;
  }
}

type Rejected = Outcome['rejected'][number];

/** What happened to a change: done (perhaps under the id that Kong has), or not and why. */
export type Result = { readonly done: Change } | { readonly rejected: Rejected };

interface Run {
  readonly writer: Writer;
  readonly hooks: ApplyHooks;
  /** By the id that was planned. */
  readonly applied: Map<string, Change>;
  readonly rejected: Rejected[];
  /** Ids of entities that could not be written: whatever refers to them is left out. */
  readonly failed: Set<string>;
}

/** A change that Kong refused, as a finding on the root that asks for it. */
function refused(change: Change, written: Extract<Written, { ok: false }>): Result {
  const { type, id } = subject(change);
  const detail = `Kong rejected ${type} ${id}: ${written.rejection.message}`;
  return { rejected: { change, finding: finding(blamed(change), 'KongRejected', detail) } };
}

/** The body of a PUT. A certificate without its `snis` would lose all of them (DB §4.1). */
function putBody({ entity }: Desired, snis: ReadonlyMap<string, readonly string[]>): Body {
  const body = { ...entity.body, tags: entity.tags };
  return entity.type === 'certificates' ? { ...body, snis: snis.get(entity.id) ?? [] } : body;
}

/** What the whole plan has to know from SQL before it is written: at most two readings, none without deletes. */
interface Facts {
  /** Id of a target to delete → its upstream. */
  readonly upstreams: ReadonlyMap<string, string>;
  /** Id of an entity to delete → what refers to it. */
  readonly children: ReadonlyMap<string, readonly Child[]>;
}

async function read(actual: ActualState, plan: Plan): Promise<Facts> {
  const deletes = plan.levels.flat().flatMap((change) => (change.action === 'delete' ? [change.current] : []));
  const targets = deletes.filter(({ type }) => type === 'targets').map(({ id }) => id);
  const [upstreams, children] = await Promise.all([actual.upstreamsOf(targets), actual.children(deletes)]);
  return { upstreams, children: Map.groupBy(children, (child) => child.parentId) };
}

/** SNIs by certificate, read just before the certificates are written. */
function snisFor(actual: ActualState, level: readonly Change[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const certificates = level.filter((change) => change.action !== 'delete' && subject(change).type === 'certificates');
  return actual.snisOf(certificates.map((change) => subject(change).id));
}

async function remove(run: Run, change: Extract<Change, { action: 'delete' }>, facts: Facts): Promise<Result> {
  const { type, id } = change.current;
  const kept = inUse(change, facts.children.get(id) ?? [], run.applied);
  if (kept !== undefined) return { rejected: { change, finding: kept } };
  const upstreamId = facts.upstreams.get(id);
  // A target that the database does not have went away with its upstream.
  if (type === 'targets' && upstreamId === undefined) return { done: change };
  const written = await run.writer.admin.remove(type, id, upstreamId);
  return written.ok ? { done: change } : refused(change, written);
}

type Snis = ReadonlyMap<string, readonly string[]>;

async function write(run: Run, change: Change, facts: Facts, snis: Snis): Promise<Result> {
  if (change.action === 'delete') return remove(run, change, facts);
  const blocked = dependencyOf(change.desired.entity, run.failed);
  if (blocked !== undefined) {
    const detail = `${change.desired.entity.type} ${change.desired.entity.id} needs ${blocked}, which is not in Kong`;
    return { rejected: { change, finding: finding(change.desired.root, 'KongDependencyRejected', detail) } };
  }
  if (change.desired.entity.type === 'targets') return writeTarget(run.writer, change, refused);
  const { type, id } = change.desired.entity;
  const written = await run.writer.admin.put(type, id, putBody(change.desired, snis));
  return written.ok ? { done: change } : refused(change, written);
}

/**
 * A change on which Kong fails again and again while it answers otherwise is that entity's trouble and no reason to
 * leave all others unwritten. Rejects when Kong as a whole is in trouble.
 */
async function attempt(run: Run, change: Change, facts: Facts, snis: Snis): Promise<Result> {
  try {
    return await write(run, change, facts, snis);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'KONG_UNAVAILABLE') throw error;
    await run.writer.admin.root();
    const { type, id } = subject(change);
    const detail = `Kong fails on ${type} ${id} and nothing else: ${error.message}`;
    return { rejected: { change, finding: finding(blamed(change), 'KongRejected', detail) } };
  }
}

async function applyLevel(run: Run, level: readonly Change[], facts: Facts): Promise<void> {
  if (level.length === 0) return;
  await run.hooks.beforeLevel?.(level);
  const snis = await snisFor(run.writer.actual, level);
  const { concurrency, pace } = run.writer;
  await inParallel(concurrency, level, async (change) => {
    const sentAt = await pace?.admit();
    const result = await attempt(run, change, facts, snis);
    if ('rejected' in result) {
      run.rejected.push(result.rejected);
      if (change.action !== 'delete') run.failed.add(subject(change).id);
      return;
    }
    run.applied.set(subject(change).id, result.done);
    if (sentAt !== undefined) pace?.wrote(subject(result.done), sentAt);
    await run.hooks.applied?.(result.done);
  });
}

/**
 * Writes once more what Kong has not announced after a long run: without the event, nodes would serve what they have in
 * their caches for ever. A delete cannot be repeated. Throws KONG_EVENTS_LOST.
 */
async function announce(run: Run, facts: Facts): Promise<void> {
  const { pace } = run.writer;
  const silent = (await pace?.settle()) ?? [];
  const repeated = silent.flatMap(({ id }) => run.applied.get(id) ?? []).filter(({ action }) => action !== 'delete');
  if (silent.length === 0) return;
  // None of the announced types is a certificate, so that there are no SNIs to keep.
  await applyLevel({ ...run, applied: new Map() }, repeated, facts);
  const left = silent.length - repeated.length + ((await pace?.settle()) ?? []).length;
  if (left > 0) throw new AppError('KONG_EVENTS_LOST', `Kong has not announced ${left} writes to its nodes`);
}

/**
 * Writes a plan to Kong, level after level. A refusal (4xx) leaves that entity and whatever refers to it out, with a
 * finding on its root; the rest goes on. Throws ApplyInterrupted when Kong or its
 * database is gone, its events got lost, or a hook rejects.
 */
export async function apply(plan: Plan, writer: Writer, hooks: ApplyHooks = {}): Promise<Outcome> {
  const run: Run = { writer, hooks, applied: new Map(), rejected: [], failed: new Set() };
  const before = writer.admin.requests();
  const outcome = (): Outcome => ({
    applied: [...run.applied.values()],
    rejected: run.rejected,
    requests: writer.admin.requests() - before,
  });
  try {
    const facts = await read(writer.actual, plan);
    for (const level of plan.levels) await applyLevel(run, level, facts);
    await announce(run, facts);
  } catch (error) {
    throw new ApplyInterrupted(outcome(), error);
  }
  return outcome();
}
