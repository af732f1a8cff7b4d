import type { ChangeEvent, ReconcileRequest } from '../events.ts';
import { KINDS, isKind } from '../kubernetes/kinds.ts';
import type { JsonRecord } from '../json.ts';
import type { Kind } from '../kubernetes/resources.ts';

/** What the receiver knows that the body does not say. */
export interface Receipt {
  /** The cluster's name, from the token: a body could claim any. */
  readonly cluster: string;
  /** RFC 3339; stands in where the sender gives no usable time. */
  readonly receivedAt: string;
  /** User names whose writes are these functions' own. */
  readonly ownUsers: readonly string[];
  /** The kinds whose changes are taken; undefined for all that are known. */
  readonly kinds?: ReadonlySet<Kind> | undefined;
  /** How long ago what a sender tells of may have been seen, ms; undefined for a sender that cannot be replayed. */
  readonly maxAgeMs?: number;
}

/** Why something in a request was not published. Counted and logged. */
export type IgnoredReason =
  | 'DryRun'
  | 'Failed'
  | 'KindNotAllowed'
  | 'Nameless'
  | 'NotAWrite'
  | 'OtherKind'
  | 'OutsideWindow'
  | 'OwnWrite'
  | 'Refused'
  | 'Subresource';

/** What one reported write comes to. */
export type Hint =
  | { readonly change: ChangeEvent }
  | { readonly reconcile: ReconcileRequest }
  | { readonly ignored: IgnoredReason };

const BY_RESOURCE: ReadonlyMap<string, Kind> = new Map(
  Object.keys(KINDS)
    .filter(isKind)
    .map((kind) => [`${KINDS[kind].group}/${KINDS[kind].plural}`, kind]),
);

/** The known kind of a resource, whatever version the sender saw it in. */
export function kindOfResource(group: string, resource: string): Kind | undefined {
  return BY_RESOURCE.get(`${group}/${resource}`);
}

/** The known kind of this name in this group. */
export function kindOfGroup(group: string, kind: string): Kind | undefined {
  return isKind(kind) && KINDS[kind].group === group ? kind : undefined;
}

/** Whether a write was made by these functions themselves: status, Events, nothing that they would have to follow. */
export function isOwn(user: JsonRecord | undefined, ownUsers: readonly string[]): boolean {
  const username = user?.['username'];
  return typeof username === 'string' && ownUsers.includes(username);
}

/** What a sender says of a change; texts are `''` when it does not say. */
export interface Report {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  readonly operation: ChangeEvent['operation'];
  readonly uid: string;
  readonly resourceVersion?: string;
  readonly previousResourceVersion?: string;
  readonly observedAt: string;
}

function optional(field: 'uid' | 'resourceVersion' | 'previousResourceVersion', value: string | undefined): object {
  return value === undefined || value === '' ? {} : { [field]: value };
}

/** When a sender says that it saw something, or when it was received if it says nothing usable. */
export function time(observedAt: string, { receivedAt }: Pick<Receipt, 'receivedAt'>): string {
  return Number.isNaN(Date.parse(observedAt)) ? receivedAt : observedAt;
}

/** Clocks of senders may be this far ahead, ms. */
const AHEAD_MS = 300_000;

/** Why what a sender tells of is not taken, whatever it is; undefined when it is. Pure. */
export function ignoredBecause(
  kind: Kind | undefined,
  observedAt: string,
  { kinds, maxAgeMs, receivedAt }: Pick<Receipt, 'kinds' | 'maxAgeMs' | 'receivedAt'>,
): IgnoredReason | undefined {
  if (kind !== undefined && kinds !== undefined && !kinds.has(kind)) return 'KindNotAllowed';
  const age = Date.parse(receivedAt) - Date.parse(observedAt);
  // A sender that gives no time (an admission review) is believed: what it tells of is looked at, and nothing more.
  if (maxAgeMs === undefined || Number.isNaN(age)) return undefined;
  return age > maxAgeMs || age < -AHEAD_MS ? 'OutsideWindow' : undefined;
}

/** The hint of a report; one without a name (generateName before the name is made) cannot be published. Pure. */
export function hint(report: Report, receipt: Receipt): Hint {
  const ignored = report.name === '' ? 'Nameless' : ignoredBecause(report.kind, report.observedAt, receipt);
  if (ignored !== undefined) return { ignored };
  const { group, version, namespaced } = KINDS[report.kind];
  return {
    change: {
      ref: {
        cluster: receipt.cluster,
        group,
        version,
        kind: report.kind,
        namespace: namespaced ? report.namespace : '',
        name: report.name,
      },
      operation: report.operation,
      ...optional('uid', report.uid),
      ...optional('resourceVersion', report.resourceVersion),
      ...optional('previousResourceVersion', report.previousResourceVersion),
      observedAt: time(report.observedAt, receipt),
    },
  };
}
