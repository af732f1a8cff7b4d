import { AppError } from '../errors.ts';
import { finding } from '../findings.ts';
import { hashOf } from '../hash.ts';
import { refOfKey } from '../index/refs.ts';
import type { Key } from '../kubernetes/keys.ts';
import { isKind } from '../kubernetes/kinds.ts';
import type { Lookup } from '../kubernetes/lookup.ts';
import { MalformedObject } from '../kubernetes/object.ts';
import type { KubernetesObject, ObjectRef } from '../kubernetes/resources.ts';
import { traced } from '../kubernetes/traced.ts';
import { bodyHash } from '../plan/candidate.ts';
import { compareText } from '../plan/rank.ts';
import { describe } from '../status/describe.ts';
import { type Seen, seeing } from '../status/seen.ts';
import type { StatusReport } from '../status/types.ts';
import { isRoot, translateRoot } from '../translate/index.ts';
import type { Finding, Proposal, Slot, TranslateOptions } from '../translate/types.ts';
import type { Translate } from './types.ts';

/** What became of one root. */
export interface Translated {
  readonly ref: ObjectRef;
  /** Undefined when the root is gone, or no root any more. */
  readonly object: KubernetesObject | undefined;
  /** Undefined when translating failed by a fault of ours: then what it had before stays. */
  readonly proposals: readonly Proposal[] | undefined;
  readonly findings: readonly Finding[];
  /** Every key it looked up, its own included. */
  readonly sources: readonly Key[];
  /** What was found under them. */
  readonly seen: Seen;
  /** What it says of statuses, before anything is written. */
  readonly reports: readonly StatusReport[];
}

/** The object that a key names; also one whose fields have wrong types, as its translation says what is wrong. */
export async function read(lookup: Lookup, ref: ObjectRef): Promise<KubernetesObject | undefined> {
  if (!isKind(ref.kind)) return undefined;
  try {
    return await lookup.get(ref.kind, ref.namespace, ref.name);
  } catch (error) {
    if (error instanceof MalformedObject) return error.object;
    throw error;
  }
}

/** Reads a root and translates it. Rejects when the cluster could not be read. */
export async function translateKey(
  key: Key,
  lookup: Lookup,
  options: TranslateOptions,
  translate: Translate = translateRoot,
): Promise<Translated> {
  const ref = refOfKey(options.cluster, key);
  const sight = seeing(lookup);
  const trace = traced(sight);
  const { seen } = sight;
  const object = await read(trace, ref);
  if (object === undefined || !isRoot(object)) {
    return { ref, object: undefined, proposals: [], findings: [], sources: [key], seen, reports: [] };
  }
  try {
    const { proposals, findings } = await translate(object, trace, options);
    const reports = describe(object, { seen, proposals, findings }, options);
    return { ref, object, proposals, findings, sources: trace.keys(), seen, reports };
  } catch (error) {
    if (error instanceof AppError) throw error;
    const why = error instanceof Error ? error.name : 'a thrown value';
    const findings = [finding(ref, 'TranslationFailed', `translating it failed with ${why}`)];
    return { ref, object, proposals: undefined, findings, sources: trace.keys(), seen, reports: [] };
  }
}

/** Hash of a root's targets for one upstream. */
export function targetsHash(targets: readonly Proposal[]): string {
  return hashOf(targets.map((item) => [item.slot, item.id, bodyHash(item)]).toSorted(bySlot));
}

function bySlot(a: readonly string[], b: readonly string[]): number {
  return compareText(a[0] ?? '', b[0] ?? '');
}

/** Upstream slot → hash of its targets, of the upstreams whose backends alone decide about them. */
export function targetHashes(proposals: readonly Proposal[]): ReadonlyMap<Slot, string> {
  const targets = Map.groupBy(
    proposals.filter(({ type }) => type === 'targets'),
    ({ refs }) => refs['upstream']?.slot ?? '',
  );
  return new Map(
    proposals.flatMap(({ slot, backends }) =>
      backends === undefined ? [] : [[slot, targetsHash(targets.get(slot) ?? [])] as const],
    ),
  );
}

/** Hash of all that a translation gave but `targetHashes`. */
export function translationHash({ proposals, findings, sources, reports }: Translated): string {
  if (proposals === undefined) return 'failed';
  const apart = new Set(proposals.flatMap(({ slot, backends }) => (backends === undefined ? [] : [slot])));
  const proposed = proposals
    .filter(({ type, refs }) => type !== 'targets' || !apart.has(refs['upstream']?.slot ?? ''))
    .map((item) => {
      const { slot, id, rank, gate = null, quiet = false, backends = null } = item;
      return [slot, id, rank.class, rank.createdAt, rank.name, gate, quiet, bodyHash(item), JSON.stringify(backends)];
    });
  return hashOf([
    proposed.toSorted((a, b) => compareText(String(a[0]), String(b[0]))),
    findings.map((item) => `${item.reason} ${item.message}`).toSorted(compareText),
    [...sources],
    reports.map((item) => JSON.stringify([item.object, item.content])).toSorted(compareText),
  ]);
}

/** All that a translation gave, in one text: when it is the same again, there is nothing to do for this root. */
export function translationText(translated: Translated): string {
  const hashes = [...targetHashes(translated.proposals ?? [])].toSorted(bySlot);
  return [translationHash(translated), ...hashes.map(([slot, hash]) => `${slot} ${hash}`)].join(' ');
}
