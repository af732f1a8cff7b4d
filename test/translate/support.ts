import type { Json } from '../../shared/kong/entities.ts';
import type { Entity, EntityType } from '../../shared/kong/entities.ts';
import { parseManifests } from '../../shared/cli/files.ts';
import { type OfflineResult, translateAll } from '../../shared/translate/offline.ts';
import type { TranslateOptions } from '../../shared/translate/types.ts';
import { OPTIONS } from '../golden/cases.ts';

/** Translates YAML manifests as the CLI does. */
export async function translateYaml(yaml: string, options: Partial<TranslateOptions> = {}): Promise<OfflineResult> {
  const all = { ...OPTIONS, ...options };
  return translateAll(parseManifests(yaml, 'test', all.raw).objects, all);
}

/** Bodies of one type, by name or by target. */
export function bodies(entities: readonly Entity[], type: EntityType): Record<string, Entity['body']> {
  return Object.fromEntries(
    entities
      .filter((entity) => entity.type === type)
      .map((entity) => [text(entity.body['name'] ?? entity.body['target'] ?? entity.id), entity.body]),
  );
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
