import type { Queryable } from '../index/database.ts';
import { type JsonRecord, isRecord } from '../json.ts';
import { objectKey } from '../kubernetes/keys.ts';
import { liveLookup } from '../kubernetes/live.ts';
import type { Lookup } from '../kubernetes/lookup.ts';
import { parseObject } from '../kubernetes/object.ts';
import type { KubernetesObject } from '../kubernetes/resources.ts';
import type { Finding } from '../translate/types.ts';
import type { AdmissionWrite, Verdict } from '../webhook/verdict.ts';
import { type AdmissionTools, assess, part } from './assess.ts';
import { bounded } from './lookup.ts';
import { isPlugin } from './plugin.ts';
import { added, refuses } from './policy.ts';
import { pluginsBeside } from './referrers.ts';
import { MOST_CHECKS } from './schemas.ts';
import type { Subject } from './subjects.ts';

export type { AdmissionTools } from './assess.ts';

/** Objects that one write may make us read. */
const MOST_READS = 200;

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

/** What could be said before the write, of the object as it is stored, or of what others make of its absence. */
async function findingsBefore(
  write: AdmissionWrite,
  subject: Subject,
  live: Lookup,
  tools: AdmissionTools,
): Promise<readonly Finding[]> {
  const object = write.before === undefined ? undefined : parsed(write, write.before);
  return (await assess(subject, object, live, tools)).findings;
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
  const refused = serious.length === 0 ? [] : added(serious, await findingsBefore(write, subject, live, tools));
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
