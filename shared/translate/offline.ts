import type { Entity } from '../kong/entities.ts';
import type { KubernetesObject } from '../kubernetes/resources.ts';
import { finding, refOf } from '../findings.ts';
import { isKind } from '../kubernetes/kinds.ts';
import { isGone } from '../kubernetes/object.ts';
import { shapeProblem } from '../kubernetes/shapes.ts';
import { snapshotLookup } from '../kubernetes/snapshot.ts';
import { resolveEntities } from '../plan/resolve.ts';
import { isRoot, translateRoot } from './index.ts';
import type { Finding, Proposal, TranslateOptions } from './types.ts';

/** What a whole snapshot becomes. */
export interface OfflineResult {
  /** Every entity, references by id, without filter tags, in slot order. */
  readonly entities: readonly Entity[];
  /** Without repetition, in the order of their messages. */
  readonly findings: readonly Finding[];
}

/** Translates every root of a snapshot and resolves their slots. Pure; the order of the objects does not matter. */
export async function translateAll(
  objects: readonly KubernetesObject[],
  options: TranslateOptions,
): Promise<OfflineResult> {
  const findings: Finding[] = [];
  const proposals: Proposal[] = [];
  const sound = objects.filter((object) => {
    const problem = isKind(object.kind) ? shapeProblem(object.kind, object) : undefined;
    if (problem !== undefined) findings.push(finding(refOf(options.cluster, object), 'InvalidObject', problem));
    return problem === undefined;
  });
  const lookup = snapshotLookup(sound);
  for (const object of sound) {
    if (!isRoot(object) || isGone(object)) continue;
    const translated = await translateRoot(object, lookup, options);
    proposals.push(...translated.proposals);
    findings.push(...translated.findings);
  }
  const resolution = resolveEntities(proposals);
  const all = [...findings, ...resolution.findings];
  const unique = new Map(all.map((item) => [`${item.reason} ${item.message}`, item]));
  return {
    entities: resolution.entities,
    findings: [...unique.values()].toSorted((a, b) => (a.message < b.message ? -1 : 1)),
  };
}
