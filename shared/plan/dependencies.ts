import { ENTITIES } from '../kong/entities.ts';
import type { Entity } from '../kong/entities.ts';
import { referenceId } from '../kong/json.ts';

/** `services <id>` of the first of these entities that this one refers to, or undefined. */
export function dependencyOf(entity: Entity, failed: ReadonlySet<string>): string | undefined {
  for (const [field, type] of Object.entries(ENTITIES[entity.type].references)) {
    const id = referenceId(entity.body[field]);
    if (id !== undefined && failed.has(id)) return `${type} ${id}`;
  }
  // Services name the CA certificates that they trust in a list.
  const list = entity.body.ca_certificates;
  const found = Array.isArray(list) ? list.find((id) => typeof id === 'string' && failed.has(id)) : undefined;
  return found === undefined ? undefined : `ca_certificates ${String(found)}`;
}
