import { AppError } from '../errors.ts';
import type { Queryable } from '../index/database.ts';
import { guarded } from '../index/guarded.ts';
import type { AdminClient } from '../kong/admin.ts';
import type { JsonRecord } from '../json.ts';
import { isRecord } from '../json.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { type Key, objectKey } from '../kubernetes/keys.ts';
import { liveLookup } from '../kubernetes/live.ts';
import type { Lookup } from '../kubernetes/lookup.ts';
import { parseObject } from '../kubernetes/object.ts';
import type { KubernetesObject } from '../kubernetes/resources.ts';
import type { Desired } from '../plan/types.ts';
import type { Finding, TranslateOptions } from '../translate/types.ts';
import type { AdmissionWrite, Verdict } from '../webhook/verdict.ts';
import { heldCredential } from './credential.ts';
import type { Draft } from './draft.ts';
import { afterWrite, bounded } from './lookup.ts';
import { isPlugin } from './plugin.ts';
import { added, refuses } from './policy.ts';
import { pluginsBeside } from './referrers.ts';
import { MOST_CHECKS, checksOf, schemaFindings } from './schemas.ts';
import { type Subject, draftOf } from './subjects.ts';
import { type Others, elect, heldKeys } from './unique.ts';

/** What judging a write needs from outside. */
export interface AdmissionTools extends Others {
  readonly kubernetes: Pick<KubernetesClient, 'get' | 'list'>;
  readonly admin: Pick<AdminClient, 'validate'>;
  readonly options: TranslateOptions;
}

/** Objects that one write may make us read. */
const MOST_READS = 200;

/** What is known about one state of the written object. */
interface Assessment {
  readonly findings: readonly Finding[];
  /** Why a part could not be looked at. */
  readonly unchecked: readonly AppError[];
  /** Bodies beyond those that Kong is asked about. */
  readonly left: number;
}

/** The result of a part that may be missing, or why it is. Anything but an AppError is a fault of ours and stays one. */
async function part<T>(work: () => Promise<T>, otherwise: T): Promise<readonly [T, readonly AppError[]]> {
  try {
    return [await guarded(work), []];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return [otherwise, [error]];
  }
}

const NO_SCHEMAS = { findings: [], left: 0 };

/** Asks those who know what others have and what Kong takes, together. */
async function askAround(
  draft: Draft,
  object: KubernetesObject | undefined,
  key: Key,
  tools: AdmissionTools,
): Promise<Assessment> {
  const { index } = tools;
  const [elected, noIndex] = await part(() => elect(draft.proposals, key, tools), { desired: [], findings: [] });
  // Without the index the object's own proposals are still there for Kong to look at.
  const { desired } =
    noIndex.length === 0 ? elected : await elect(draft.proposals, key, { ...tools, index: undefined });
  const [[held, noKeys], [credential, noCredential], [schemas, noSchemas]] = await Promise.all([
    part<readonly Finding[]>(() => heldKeys(desired, key, tools), []),
    part<readonly Finding[]>(
      async () => (object === undefined || index === undefined ? [] : heldCredential(tools.cluster, object, index)),
      [],
    ),
    part(() => schemaFindings([...draft.checks, ...ownChecks(object, desired)], tools.admin), NO_SCHEMAS),
  ]);
  return {
    findings: [...draft.findings, ...elected.findings, ...held, ...credential, ...schemas.findings],
    unchecked: [...noIndex, ...noKeys, ...noCredential, ...noSchemas],
    left: schemas.left,
  };
}

/** An entity of the user's own has a check of its own, and a plugin has it whether or not it is global. */
function ownChecks(object: KubernetesObject | undefined, desired: readonly Desired[]): ReturnType<typeof checksOf> {
  return object === undefined || isPlugin(object) ? [] : checksOf(desired);
}

async function assess(
  subject: Subject,
  object: KubernetesObject | undefined,
  live: Lookup,
  tools: AdmissionTools,
): Promise<Assessment> {
  const key = objectKey(subject.kind, subject.namespace, subject.name);
  const draft = await draftOf(subject, object, afterWrite(live, { key, object }), tools.options);
  return askAround(draft, object, key, tools);
}

/** Sorts after every object that is there: what is created now is the youngest. */
const NOW = '9999-12-31T23:59:59Z';

/** A written object, with the metadata that the API server may not have given it yet. */
function parsed({ kind, namespace, name }: AdmissionWrite, value: JsonRecord): KubernetesObject {
  const metadata = isRecord(value['metadata']) ? value['metadata'] : {};
  return parseObject(kind, {
    ...value,
    metadata: {
      creationTimestamp: NOW,
      ...metadata,
      name: metadata['name'] ?? (name === '' ? 'generated' : name),
      ...(namespace === '' ? {} : { namespace }),
    },
  });
}

async function subjectOf(
  write: AdmissionWrite,
  object: KubernetesObject,
  index: Queryable | undefined,
): Promise<Subject> {
  const { kind, namespace } = write;
  const { name } = object.metadata;
  const asks = kind === 'Secret' || (isPlugin(object) && (object.instance_name ?? '') !== '');
  const beside = asks && index !== undefined ? await pluginsBeside(index, objectKey(kind, namespace, name)) : [];
  return { kind, namespace, name, beside };
}

const MOST_REFUSALS = 5;
const MOST_WARNINGS = 10;
/** The API server drops what is longer when there is much of it. */
const LONGEST_WARNING = 256;

function refusal(findings: readonly Finding[]): string {
  const shown = findings.slice(0, MOST_REFUSALS).map((item) => item.message);
  const more = findings.length - shown.length;
  return [...shown, ...(more > 0 ? [`And ${more} more.`] : [])].join(' ');
}

function warningsOf(findings: readonly Finding[], left: number): readonly string[] {
  const messages = findings.map((item) => item.message);
  const all = [
    ...new Set(messages),
    ...(left > 0
      ? [`Kong was asked about the first ${MOST_CHECKS} entities that this becomes, not about ${left} more.`]
      : []),
  ];
  return all
    .slice(0, MOST_WARNINGS)
    .map((text) => (text.length > LONGEST_WARNING ? `${text.slice(0, LONGEST_WARNING - 1)}…` : text));
}

/**
 * Judges a create or an update: refused for what is wrong with the object itself and was not wrong before, warned of what
 * else there is to say (KIC §1.7, DESIGN §2). Parts that cannot be looked at are in `unchecked`. Rejects with KUBERNETES_*
 * errors, ADMISSION_TOO_LARGE and, for metadata that is none, KUBERNETES_ANSWER_INVALID.
 */
export async function admit(write: AdmissionWrite, tools: AdmissionTools): Promise<Verdict> {
  const object = parsed(write, write.object);
  const [subject, noIndex] = await part(() => subjectOf(write, object, tools.index), {
    kind: write.kind,
    namespace: write.namespace,
    name: object.metadata.name,
    beside: [],
  });
  const live = bounded(liveLookup(tools.kubernetes), MOST_READS);
  const after = await assess(subject, object, live, tools);
  const serious = after.findings.filter(refuses);
  const before =
    serious.length === 0
      ? []
      : (await assess(subject, write.before === undefined ? undefined : parsed(write, write.before), live, tools))
          .findings;
  const refused = added(serious, before);
  const others = after.findings.filter((item) => !refused.includes(item));
  return {
    allowed: refused.length === 0,
    message: refusal(refused),
    code: refused.length === 0 ? 200 : 400,
    warnings: warningsOf(others, after.left),
    reasons: [...new Set([...refused, ...others].map((item) => item.reason))],
    unchecked: [...noIndex, ...after.unchecked],
  };
}
