import { display, finding } from '../findings.ts';
import { load, type Loaded } from '../index/index.ts';
import type { Queryable } from '../index/database.ts';
import { ownersOf } from '../index/owned.ts';
import { refOfKey } from '../index/refs.ts';
import type { ActualState, Holder } from '../kong/actual.ts';
import { ENTITIES, type EntityType } from '../kong/entities.ts';
import type { Key } from '../kubernetes/keys.ts';
import { hidesSlot } from '../plan/resolve.ts';
import type { Desired } from '../plan/types.ts';
import { slotsOf } from '../slice/gather.ts';
import { resolveLoaded } from '../slice/resolve.ts';
import type { Finding, Proposal } from '../translate/types.ts';

/** Where what others have is known. */
export interface Others {
  readonly cluster: string;
  /** The index; undefined as long as there is none. */
  readonly index: Queryable | undefined;
  readonly actual: Pick<ActualState, 'findUnique'>;
  readonly filterTags: readonly string[];
}

/** What Kong would get, and who has what of it already. */
export interface Election {
  readonly desired: readonly Desired[];
  readonly findings: readonly Finding[];
}

const NOTHING: Loaded = { old: [], slots: new Map(), quarantine: new Map(), failing: new Set() };

function heldSlots(proposals: readonly Proposal[], loaded: Loaded): readonly Finding[] {
  return proposals.flatMap(({ slot, type, root, exclusive }) => {
    const holder = loaded.slots.get(slot)?.outside;
    if (exclusive !== true || holder === undefined) return [];
    const what = hidesSlot(type) ? `the key of a credential (${type})` : slot;
    return [finding(root, 'KongKeyHeld', `${what} belongs to ${display(holder.root)}`)];
  });
}

/**
 * Elects the slots that the root of `key` asks for, among all other roots that the index knows. Without an index only the
 * root's own proposals count. One statement.
 */
export async function elect(proposals: readonly Proposal[], key: Key, others: Others): Promise<Election> {
  const { index, cluster, filterTags } = others;
  if (proposals.length === 0) return { desired: [], findings: [] };
  const loaded = index === undefined ? NOTHING : await load(index, cluster, [key], [...new Set(slotsOf(proposals))]);
  const { desired, findings } = resolveLoaded(proposals, loaded, filterTags);
  const held = heldSlots(proposals, loaded);
  // What an exclusive slot's finding says already, or what nobody can know without an index.
  const known = findings.filter(
    ({ reason }) =>
      !(reason === 'SlotLost' && held.length > 0) && !(reason === 'DependencyLost' && index === undefined),
  );
  return { desired, findings: [...held, ...known] };
}

/** Types whose unique keys people choose; the others' follow from names that Kubernetes keeps apart. */
function isChosen({ entity }: Desired): boolean {
  const { type, body } = entity;
  if (ENTITIES[type].optional === true) return false;
  return (
    type === 'consumers' ||
    type === 'vaults' ||
    hidesSlot(type) ||
    (type === 'plugins' && body['instance_name'] !== undefined)
  );
}

function named(type: EntityType): string {
  return hidesSlot(type) ? `the key of a credential (${type})` : `a unique name or key of its ${type}`;
}

/**
 * Unique keys that somebody else has in Kong: what no slot shows (a custom_id, an instance name), and what is not ours
 * (KIC asks `GET /consumers/<username>`). One statement, and one more when there is such a row.
 */
export async function heldKeys(desired: readonly Desired[], key: Key, others: Others): Promise<readonly Finding[]> {
  const chosen = desired.filter(isChosen);
  const holders =
    chosen.length === 0
      ? new Map<string, Holder>()
      : await others.actual.findUnique(chosen.map(({ entity }) => entity));
  if (holders.size === 0) return [];
  const ids = [...holders.values()].map((holder) => holder.id);
  const owners = others.index === undefined ? undefined : await ownersOf(others.index, ids);
  return chosen.flatMap(({ entity, root }): readonly Finding[] => {
    const holder = holders.get(entity.id);
    if (holder === undefined) return [];
    if (!holder.managed) {
      const detail = `${named(entity.type)} is held in Kong by ${holder.type} ${holder.id}, which does not carry the filter tag`;
      return [finding(root, 'KongEntityNotOurs', detail)];
    }
    const owner = owners?.get(holder.id);
    if (owner === undefined || !owner.proposed || owner.root === key) return [];
    return [
      finding(root, 'KongKeyHeld', `${named(entity.type)} belongs to ${display(refOfKey(others.cluster, owner.root))}`),
    ];
  });
}
