import { AppError } from '../errors.ts';
import { guarded } from '../index/guarded.ts';
import type { AdminClient } from '../kong/admin.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { type Key, objectKey } from '../kubernetes/keys.ts';
import type { Lookup } from '../kubernetes/lookup.ts';
import type { KubernetesObject } from '../kubernetes/resources.ts';
import type { Desired } from '../plan/types.ts';
import type { Finding, TranslateOptions } from '../translate/types.ts';
import { heldCredential } from './credential.ts';
import type { Draft } from './draft.ts';
import { afterWrite } from './lookup.ts';
import { isPlugin } from './plugin.ts';
import { checksOf, schemaFindings } from './schemas.ts';
import { type Subject, draftOf } from './subjects.ts';
import { type Others, elect, heldKeys } from './unique.ts';

/** What judging a write needs from outside. */
export interface AdmissionTools extends Others {
  readonly kubernetes: Pick<KubernetesClient, 'get' | 'list'>;
  readonly admin: Pick<AdminClient, 'validate'>;
  readonly options: TranslateOptions;
}

/** What is known about one state of the written object. */
export interface Assessment {
  readonly findings: readonly Finding[];
  /** Why a part could not be looked at. */
  readonly unchecked: readonly AppError[];
  /** Bodies beyond those that Kong is asked about. */
  readonly left: number;
}

/** The result of a part that may be missing, or why it is. Anything but an AppError is a fault of ours and stays one. */
export async function part<T>(work: () => Promise<T>, otherwise: T): Promise<readonly [T, readonly AppError[]]> {
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

/** Everything that can be said about one state of the written object. Rejects with what the lookup does. */
export async function assess(
  subject: Subject,
  object: KubernetesObject | undefined,
  live: Lookup,
  tools: AdmissionTools,
): Promise<Assessment> {
  const key = objectKey(subject.kind, subject.namespace, subject.name);
  const draft = await draftOf(subject, object, afterWrite(live, { key, object }), tools.options);
  return askAround(draft, object, key, tools);
}
