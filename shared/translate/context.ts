import type { Kind, KubernetesObject, ObjectRef, Resources } from '../kubernetes/resources.ts';
import type { Queries, QueryKind } from '../kubernetes/keys.ts';
import { shapeProblem } from '../kubernetes/shapes.ts';
import { MalformedObject } from '../kubernetes/object.ts';
import type { Answers } from './answers.ts';
import type { EntityType, Json } from '../kong/entities.ts';
import { isName, isUpstreamHost, refusedTags, tagsOf } from './identity.ts';
import { type Reason, finding, refOf } from '../findings.ts';
import type { Finding, Proposal, Rank, Slot, TranslateOptions } from './types.ts';

/** A proposal before its root and rank are filled in. */
export interface Draft extends Omit<Proposal, 'root' | 'rank' | 'body'> {
  /** Fields that are undefined are left out. */
  readonly body: { readonly [field: string]: Json | undefined };
  readonly rank?: Rank;
}

/** What the translation of one root carries along: what it may ask, and what it has found so far. */
export interface Context {
  readonly root: KubernetesObject;
  readonly ref: ObjectRef;
  readonly options: TranslateOptions;
  readonly answers: Answers;
  /** Adds a proposal; of two for one slot the better rank stays, with a finding when they differ. */
  propose(draft: Draft): void;
  /** Whether this root proposes for the slot already. */
  proposed(slot: Slot): boolean;
  report(object: KubernetesObject, reason: Reason, detail: string): void;
  /** The root's own order among others: `class`, then its age, then its name. */
  rank(rankClass: number): Rank;
  /** What another root proposes, from the same answers; its findings are its own affair. Without plugins it costs less. */
  translate(other: KubernetesObject, plugins: boolean): readonly Proposal[];
  /** False when nobody asks for the plugins that annotations name. */
  readonly plugins: boolean;
  /** What was found so far. A method, as V8 makes a hidden class of its own for every object with a getter. */
  result(): Translated;
}

/** What translating one root gave. */
export interface Translated {
  readonly proposals: readonly Proposal[];
  readonly findings: readonly Finding[];
}

/** The tags of what comes from an object; its own tags that Kong would refuse are left out, with a finding. */
export function objectTags(
  context: Context,
  object: KubernetesObject,
  ruleNames: readonly string[] = [],
): readonly string[] {
  for (const tag of refusedTags(object)) {
    context.report(object, 'InvalidTag', `annotation konghq.com/tags holds ${JSON.stringify(tag.slice(0, 80))}`);
  }
  return tagsOf(object, ruleNames);
}

/** `namespace/name`. */
export function fullName(object: KubernetesObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

/** The order of an object: oldest first, then by name. */
export function rankOf(object: KubernetesObject, rankClass: number): Rank {
  return { class: rankClass, createdAt: object.metadata.creationTimestamp ?? '', name: fullName(object) };
}

/** Negative when `a` comes before `b`. */
export function compareRanks(a: Rank, b: Rank): number {
  return a.class - b.class || compareText(a.createdAt, b.createdAt) || compareText(a.name, b.name);
}

/** Orders by code unit, as Go does for what names hold. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The values without those that are undefined. */
export function compact(fields: { readonly [field: string]: Json | undefined }): Record<string, Json> {
  const body: Record<string, Json> = {};
  for (const field in fields) {
    const value = fields[field];
    if (value !== undefined) body[field] = value;
  }
  return body;
}

/** Fields that are names, and what Kong takes for them. */
const NAMES: { readonly [T in EntityType]?: readonly (readonly [field: string, test: (text: string) => boolean])[] } = {
  services: [
    ['name', isName],
    ['host', isUpstreamHost],
  ],
  routes: [['name', isName]],
  upstreams: [['name', isUpstreamHost]],
  consumer_groups: [['name', isName]],
};

/** The name that Kong would refuse, shortened, or undefined. */
function refusedName({ type, body }: Pick<Proposal, 'type' | 'body'>): string | undefined {
  for (const [field, test] of NAMES[type] ?? []) {
    const value = body[field];
    if (typeof value === 'string' && !test(value)) return JSON.stringify(value.slice(0, 120));
  }
  return undefined;
}

function isSame(a: Proposal, b: Proposal): boolean {
  return JSON.stringify([a.body, a.refs]) === JSON.stringify([b.body, b.refs]);
}

/** Starts the translation of one root; `translate` is how it looks at other roots. */
export function newContext(
  root: KubernetesObject,
  answers: Answers,
  options: TranslateOptions,
  translate: Context['translate'],
  plugins: boolean,
): Context {
  const ref = refOf(options.cluster, root);
  const proposals = new Map<Slot, Proposal>();
  const findings = new Map<string, Finding>();
  const ownRank = rankOf(root, 0);
  const report = (object: KubernetesObject, reason: Reason, detail: string): void => {
    const made = finding(object === root ? ref : refOf(options.cluster, object), reason, detail);
    findings.set(`${reason} ${made.message}`, made);
  };
  return {
    root,
    ref,
    options,
    answers,
    report,
    translate,
    plugins,
    proposed: (slot) => proposals.has(slot),
    rank: (rankClass) => (rankClass === 0 ? ownRank : rankOf(root, rankClass)),
    propose(draft) {
      const proposal: Proposal = {
        ...draft,
        body: compact(draft.body),
        root: ref,
        rank: draft.rank ?? ownRank,
      };
      const refused = refusedName(proposal);
      if (refused !== undefined) {
        report(root, 'InvalidName', `${draft.type} would have the name ${refused}, which Kong refuses`);
        return;
      }
      const known = proposals.get(draft.slot);
      if (known === undefined || compareRanks(proposal.rank, known.rank) < 0) proposals.set(draft.slot, proposal);
      if (known !== undefined && !isSame(known, proposal)) {
        const reason = draft.type === 'plugins' ? 'DuplicatePlugin' : 'NameCollision';
        report(root, reason, `two different ${draft.type} of this object would share ${draft.slot}`);
      }
    },
    result: () => ({ proposals: [...proposals.values()], findings: [...findings.values()] }),
  };
}

/** Whether an object has its kind's shape; otherwise that is a finding on it. */
export function isWellFormed(context: Context, kind: Kind, object: KubernetesObject): boolean {
  const problem = shapeProblem(kind, object);
  if (problem !== undefined) context.report(object, 'InvalidObject', problem);
  return problem === undefined;
}

/** A malformed object is a finding on it; every other failure of a lookup stays one. */
function reportMalformed(context: Context, error: unknown): undefined {
  if (!(error instanceof MalformedObject)) throw error;
  context.report(error.object, 'InvalidObject', error.problem);
  return undefined;
}

/** An object by name; one with a malformed shape is a finding on it and counts as absent. Throws what the lookup fails with. */
export function find<K extends Kind>(
  context: Context,
  kind: K,
  namespace: string,
  name: string,
): Resources[K] | undefined {
  try {
    return context.answers.get(kind, namespace, name);
  } catch (error) {
    return reportMalformed(context, error);
  }
}

/** The answer to a query; nothing, with a finding, when one of its objects is malformed. Throws what the lookup fails with. */
export function findAll<K extends QueryKind>(context: Context, kind: K, query: Queries[K]): readonly Resources[K][] {
  try {
    return context.answers.list(kind, query);
  } catch (error) {
    return reportMalformed(context, error) ?? [];
  }
}
