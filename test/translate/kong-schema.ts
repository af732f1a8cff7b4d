import { createRegistry } from '../../infra/local/kong/admin/entities/index.ts';
import { fill } from '../../infra/local/kong/admin/schema/fill.ts';
import { validateRecord } from '../../infra/local/kong/admin/schema/validate.ts';
import type { Entity, EntityType } from '../../shared/kong/entities.ts';

const AUTOS = { now: 0, uuid: () => '00000000-0000-4000-8000-000000000000', secret: () => 'secret' };

/** Types whose schemas the stand-in Kong has; plugins' configurations are Kong's plugins' own affair. */
const CHECKED: ReadonlySet<EntityType> = new Set<EntityType>([
  'certificates',
  'ca_certificates',
  'snis',
  'services',
  'routes',
  'upstreams',
  'targets',
  'consumers',
  'acls',
  'keyauth_credentials',
  'hmacauth_credentials',
  'oauth2_credentials',
  'vaults',
]);

/** What only Kong Enterprise takes: the schemas here are the community edition's. */
function needsEnterprise({ type, body }: Entity): boolean {
  if (type === 'vaults') return body['name'] !== 'env';
  return /"wss?"/.test(JSON.stringify([body['protocol'], body['protocols']]));
}

/** What Kong's schemas say against an entity, or undefined. */
export function schemaProblem(entity: Entity, routerFlavor: 'traditional' | 'expressions'): unknown {
  if (!CHECKED.has(entity.type) || needsEnterprise(entity)) return undefined;
  const registry = createRegistry({ routerFlavor });
  const definition = registry.get(entity.type);
  if (definition === undefined) return `no schema of ${entity.type}`;
  const data = { id: entity.id, ...entity.body, tags: [...entity.tags] };
  const resolved = definition.resolve?.(data, registry.context) ?? { schema: definition };
  return 'errors' in resolved ? resolved.errors : validateRecord(resolved.schema, fill(resolved.schema, data, AUTOS));
}
