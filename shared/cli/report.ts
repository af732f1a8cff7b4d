import { display } from '../findings.ts';
import type { PendingChange } from '../reconcile/preview.ts';
import type { SliceResult } from '../slice.ts';
import { hidesSlot } from '../plan/resolve.ts';
import type { Change, Desired } from '../plan/types.ts';
import type { Finding } from '../translate/types.ts';

/** A change for people and programs: names and ids, never a value. */
export interface ChangeReport {
  readonly action: Change['action'] | 'adopt';
  readonly type: string;
  readonly id: string;
  /** What Kong holds unique of it, such as `routes/default.web.echo._.80`; the id where that would be a credential. */
  readonly entity: string;
  /** The object that asks for it, or asked last; undefined for an entity that no object is known for. */
  readonly object: string | undefined;
  /** Dotted names of the fields that differ, where they are known. */
  readonly fields: readonly string[];
}

/** A change as it is reported. Pure. */
export function changeReport(change: Change, fields: readonly string[] = []): ChangeReport {
  const { action } = change;
  const { type, id } = action === 'delete' ? change.current : change.desired.entity;
  const { slot, root } = action === 'delete' ? change.current : change.desired;
  const entity = hidesSlot(type) ? `${type}/${id}` : slot;
  return { action, type, id, entity, object: root === undefined ? undefined : display(root), fields };
}

/** An adoption as it is reported. Pure. */
export function adoptionReport(desired: Desired): ChangeReport {
  return { ...changeReport({ action: 'update', desired }), action: 'adopt' };
}

/** A change that is still to be made. Pure. */
export function pendingReport({ change, fields }: PendingChange): ChangeReport {
  return changeReport(change, fields);
}

/** `update routes/default.web…: paths, methods (Ingress default/web)`. Pure. */
export function changeLine({ action, entity, object, fields }: ChangeReport): string {
  const differing = fields.length === 0 ? '' : `: ${fields.join(', ')}`;
  return `${action} ${entity}${differing}${object === undefined ? '' : ` (${object})`}`;
}

export function findingLine({ severity, reason, message }: Finding): string {
  return `${severity} ${reason} ${message}`;
}

/** Findings that say the same once, in their order. Pure. */
export function distinctFindings(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.map((finding) => [findingLine(finding), finding])).values()];
}

/** What slices did, added up. */
export interface SlicesReport {
  readonly changes: readonly ChangeReport[];
  readonly withheld: readonly (ChangeReport & { readonly reason: string })[];
  readonly findings: readonly Finding[];
  readonly rejected: number;
  readonly drifted: number;
  /** Numbers of the revisions that were written. */
  readonly revisions: readonly string[];
  readonly cost: SliceResult['cost'] & { readonly slices: number };
}

function sum(slices: readonly SliceResult[], of: keyof SliceResult['cost']): number {
  return slices.reduce((total, slice) => total + slice.cost[of], 0);
}

/** Pure. */
export function slicesReport(slices: readonly SliceResult[]): SlicesReport {
  return {
    changes: slices.flatMap((slice) => slice.applied.map((change) => changeReport(change))),
    withheld: slices.flatMap((slice) =>
      slice.withheld.map(({ change, reason }) => ({ ...changeReport(change), reason })),
    ),
    findings: distinctFindings(slices.flatMap((slice) => slice.findings)),
    rejected: slices.reduce((total, slice) => total + slice.rejected.length, 0),
    drifted: slices.reduce((total, slice) => total + slice.drifted, 0),
    revisions: slices.flatMap((slice) => slice.revision ?? []),
    cost: {
      slices: slices.length,
      kubernetesRequests: sum(slices, 'kubernetesRequests'),
      kongRequests: sum(slices, 'kongRequests'),
      sqlStatements: sum(slices, 'sqlStatements'),
    },
  };
}

/** The lines of a report. Pure. */
export function slicesLines(report: SlicesReport): readonly string[] {
  const { changes, withheld, findings, rejected, drifted, revisions, cost } = report;
  const revision = revisions.length === 0 ? 'no revision' : `revision ${revisions.join(', ')}`;
  return [
    ...changes.map(changeLine),
    ...withheld.map((item) => `withheld ${changeLine(item)}: ${item.reason}`),
    ...findings.map(findingLine),
    `${changes.length} written, ${rejected} rejected, ${drifted} repaired, ${revision}; ` +
      `${cost.slices} slices, ${cost.kubernetesRequests} requests to Kubernetes, ` +
      `${cost.kongRequests} to Kong, ${cost.sqlStatements} SQL statements`,
  ];
}

/** Whether somebody has to look at it. Pure. */
export function hasTrouble({ findings, rejected }: Pick<SlicesReport, 'findings' | 'rejected'>): boolean {
  return rejected > 0 || findings.some(({ severity }) => severity === 'error');
}
