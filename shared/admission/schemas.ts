import { finding } from '../findings.ts';
import type { AdminClient } from '../kong/admin.ts';
import type { EntityType } from '../kong/entities.ts';
import { hidesSlot } from '../plan/resolve.ts';
import { inParallel } from '../parallel.ts';
import type { Desired } from '../plan/types.ts';
import type { Finding } from '../translate/types.ts';
import type { SchemaCheck } from './draft.ts';

/** Bodies that Kong is asked about for one write; more are not looked at, and a warning says so. */
export const MOST_CHECKS = 20;
const AT_ONCE = 10;

/** Types that come from an object itself; services, upstreams and the like come from others (KIC §1.7). */
function isOwn(type: EntityType): boolean {
  return (
    type === 'routes' || type === 'consumers' || type === 'vaults' || type === 'ca_certificates' || hidesSlot(type)
  );
}

/** What Kong's schema has to see of what a root wants. */
export function checksOf(desired: readonly Desired[]): readonly SchemaCheck[] {
  return desired.flatMap(({ entity: { type, body }, root }) =>
    isOwn(type) ? [{ type, body, on: root, inline: !hidesSlot(type) }] : [],
  );
}

function described({ type, body }: SchemaCheck): string {
  const name = body['name'];
  return type === 'routes' && typeof name === 'string'
    ? `Kong would refuse the route ${name}`
    : `Kong would refuse its ${type}`;
}

/** Bodies that are equal but for their name are looked at once. */
function distinct(checks: readonly SchemaCheck[]): readonly SchemaCheck[] {
  const found = new Map<string, SchemaCheck>();
  for (const check of checks) {
    const { name: _name, ...rest } = check.body;
    const key = JSON.stringify([check.type, check.type === 'routes' ? rest : check.body]);
    if (!found.has(key)) found.set(key, check);
  }
  return [...found.values()];
}

/** What Kong's schemas have against these bodies, and what of them was not looked at. */
export async function schemaFindings(
  checks: readonly SchemaCheck[],
  admin: Pick<AdminClient, 'validate'>,
): Promise<{ readonly findings: readonly Finding[]; readonly left: number }> {
  const all = distinct(checks);
  const found = await inParallel(AT_ONCE, all.slice(0, MOST_CHECKS), async (check): Promise<readonly Finding[]> => {
    const violation = await admin.validate(check.type, check.body);
    if (violation === undefined) return [];
    const why = check.inline ? violation.message : violation.fields;
    return [finding(check.on, 'SchemaViolation', `${described(check)}: ${why}`)];
  });
  return { findings: found.flat(), left: Math.max(0, all.length - MOST_CHECKS) };
}
