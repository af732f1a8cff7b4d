import { finding } from '../../findings.ts';
import type { Written } from '../../kong/admin.ts';
import { referenceId } from '../../kong/json.ts';
import { PRIMARY_KEY_VIOLATION } from '../../kong/rejection.ts';
import type { Result, Writer } from '../apply.ts';
import type { Change } from '../types.ts';

type Write = Exclude<Change, { action: 'delete' }>;
type Refused = (change: Change, written: Extract<Written, { ok: false }>) => Result;

function withId(change: Write, id: string): Write {
  return { ...change, desired: { ...change.desired, entity: { ...change.desired.entity, id } } };
}

/** The target is in Kong under another id: it is taken over when it is ours, and left alone when not. */
async function takeOver(
  writer: Writer,
  change: Write,
  refused: Refused,
  conflict: Extract<Written, { ok: false }>,
): Promise<Result> {
  const { entity, root } = change.desired;
  const holder = (await writer.actual.findUnique([entity])).get(entity.id);
  if (holder === undefined) return refused(change, conflict);
  if (!holder.managed) {
    const detail = `target ${holder.id} is already in Kong without the filter tag`;
    return { rejected: { change, finding: finding(root, 'KongEntityNotOurs', detail) } };
  }
  return update(writer, withId(change, holder.id), refused);
}

async function update(writer: Writer, change: Write, refused: Refused): Promise<Result> {
  const { entity } = change.desired;
  const upstreamId = referenceId(entity.body.upstream) ?? '';
  const written = await writer.admin.updateTarget(upstreamId, entity.id, { ...entity.body, tags: entity.tags });
  return written.ok ? { done: change } : refused(change, written);
}

async function create(writer: Writer, change: Write, refused: Refused): Promise<Result> {
  const { entity } = change.desired;
  const upstreamId = referenceId(entity.body.upstream) ?? '';
  const written = await writer.admin.createTarget(upstreamId, { ...entity.body, id: entity.id, tags: entity.tags });
  if (written.ok) return { done: change };
  // Our own request may have reached Kong although its answer was lost.
  if (written.rejection.code === PRIMARY_KEY_VIOLATION) return update(writer, change, refused);
  return written.rejection.status === 409 ? takeOver(writer, change, refused, written) : refused(change, written);
}

/**
 * Writes a target: PUT never creates one, POST never changes one (DB §8.1). A target that is in Kong under another id
 * is taken over if it is ours; the result then carries that id.
 */
export async function writeTarget(writer: Writer, change: Write, refused: Refused): Promise<Result> {
  if (change.action === 'create') return create(writer, change, refused);
  const upstreamId = referenceId(change.desired.entity.body.upstream) ?? '';
  const { entity } = change.desired;
  const written = await writer.admin.updateTarget(upstreamId, entity.id, { ...entity.body, tags: entity.tags });
  if (written.ok) return { done: change };
  return written.rejection.status === 404 ? create(writer, change, refused) : refused(change, written);
}
