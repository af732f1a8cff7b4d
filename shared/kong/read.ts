import { inParallel } from '../parallel.ts';
import type { ActualState } from './actual.ts';
import type { AdminClient } from './admin.ts';
import type { Body, Entity, EntityType } from './entities.ts';
import { text } from './json.ts';
import { pluginSchema } from './schema.ts';
import type { Schema } from './schema.ts';

/** From this many entities of one type on, pages of 1,000 are cheaper than single requests. */
const LISTED_FROM = 50;
/** Single requests at the same time. */
const READ_AT_ONCE = 10;
/** The most tags that Kong filters by (DB §4.3). */
const MOST_TAGS = 5;

/** The schema of an entity, with its plugin's configuration when it is a plugin; undefined when Kong has none. */
export type SchemaOf = (entity: Entity) => Schema | undefined;

function commonTags(entities: readonly Entity[]): readonly string[] {
  const [first, ...rest] = entities.map((entity) => new Set(entity.tags));
  const common = [...(first ?? [])].filter((tag) => rest.every((tags) => tags.has(tag)));
  return common.slice(0, MOST_TAGS);
}

/** Reads a type page by page until all that are asked for were seen. */
async function listed(type: EntityType, entities: readonly Entity[], admin: AdminClient): Promise<readonly Body[]> {
  const tags = commonTags(entities);
  if (entities.length < LISTED_FROM || tags.length === 0) return [];
  const missing = new Set(entities.map((entity) => entity.id));
  const found: Body[] = [];
  for await (const page of admin.list(type, tags)) {
    found.push(...page.filter((body) => missing.delete(text(body.id) ?? '')));
    if (missing.size === 0) break;
  }
  return found;
}

async function readType(type: EntityType, entities: readonly Entity[], admin: AdminClient): Promise<readonly Body[]> {
  const found = await listed(type, entities, admin);
  const seen = new Set(found.map((body) => text(body.id)));
  const rest = entities.filter((entity) => !seen.has(entity.id));
  const single = await inParallel(READ_AT_ONCE, rest, (entity) => admin.get(type, entity.id));
  return [...found, ...single.filter((body) => body !== undefined)];
}

/** The entities as Kong shows them, by id; one that is gone is not in the map. Targets come from SQL. */
export async function readAll(
  entities: readonly Entity[],
  actual: ActualState,
  admin: AdminClient,
): Promise<ReadonlyMap<string, Body>> {
  const groups = Map.groupBy(entities, (entity) => entity.type);
  const targets = (groups.get('targets') ?? []).map((entity) => entity.id);
  const others = [...groups].filter(([type]) => type !== 'targets');
  const [byId, ...bodies] = await Promise.all([
    actual.targets(targets),
    ...others.map(([type, group]) => readType(type, group, admin)),
  ]);
  return new Map([...byId, ...bodies.flat().map((body): [string, Body] => [text(body.id) ?? '', body])]);
}

function schemaName(entity: Entity): string {
  return entity.type === 'plugins' ? `plugins/${text(entity.body.name) ?? ''}` : entity.type;
}

/** Fetches the schemas that these entities need, each once. */
export async function schemasFor(entities: readonly Entity[], admin: AdminClient): Promise<SchemaOf> {
  const names = new Set(entities.flatMap((entity) => [entity.type, schemaName(entity)]));
  const schemas = new Map(await Promise.all([...names].map(async (name) => [name, await admin.schema(name)] as const)));
  return (entity) => {
    const own = schemas.get(schemaName(entity));
    if (entity.type !== 'plugins') return own;
    const base = schemas.get('plugins');
    return base === undefined || own === undefined ? undefined : pluginSchema(base, own);
  };
}
