import { readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { type Document, parseAllDocuments } from 'yaml';
import { AppError } from '../errors.ts';
import { type JsonRecord, isRecord, parseJson } from '../json.ts';
import { withDefaults } from '../kubernetes/defaults.ts';
import { kindOfManifest } from '../kubernetes/kinds.ts';
import { parseObject } from '../kubernetes/object.ts';
import type { Kind, KubernetesObject } from '../kubernetes/resources.ts';

/** Objects of files, and what else was in them. */
export interface Manifests {
  readonly objects: readonly KubernetesObject[];
  /** Documents of kinds, or versions of them, that are not translated, a sentence each. */
  readonly ignored: readonly string[];
  /** Documents of known kinds without usable metadata, a sentence each. */
  readonly broken: readonly string[];
}

function filesIn(file: string): readonly string[] {
  if (!statSync(file).isDirectory()) return [file];
  return readdirSync(file, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:ya?ml|json)$/.test(name))
    .toSorted()
    .map((name) => path.join(file, name));
}

/** A document's value. Throws MANIFEST_INVALID, also for aliases that would multiply beyond measure. */
function valueOf(document: Document.Parsed, source: string): unknown {
  const [error] = document.errors;
  if (error !== undefined) {
    throw new AppError('MANIFEST_INVALID', `${source} is no YAML: ${error.message.split('\n')[0] ?? ''}`);
  }
  try {
    const value: unknown = document.toJS({ maxAliasCount: 1000 });
    return value;
  } catch (cause) {
    throw new AppError('MANIFEST_INVALID', `${source} is no YAML that can be read`, { cause });
  }
}

/** The values of a text; JSON is read as such, which takes a tenth of the time of the YAML that it also is. Throws MANIFEST_INVALID. */
function valuesOf(text: string, source: string): readonly unknown[] {
  const json = text.trimStart().startsWith('{') ? parseJson(text) : undefined;
  if (json !== undefined) return [json];
  return parseAllDocuments(text, { logLevel: 'silent' }).map((document) => valueOf(document, source));
}

/** The documents of a YAML or JSON text; `List` kinds give their items. Throws MANIFEST_INVALID. */
function documents(text: string, source: string): readonly unknown[] {
  return valuesOf(text, source).flatMap((value) => {
    if (isRecord(value) && typeof value['kind'] === 'string' && value['kind'].endsWith('List')) {
      const items: unknown = value['items'];
      if (Array.isArray(items)) return items;
    }
    return value === null || value === undefined ? [] : [value];
  });
}

function kindOf({ apiVersion, kind }: JsonRecord): Kind | undefined {
  return typeof apiVersion === 'string' && typeof kind === 'string' ? kindOfManifest(apiVersion, kind) : undefined;
}

function described(value: unknown): string {
  const { apiVersion, kind } = isRecord(value) ? value : {};
  return `of kind ${JSON.stringify(kind ?? null)}, apiVersion ${JSON.stringify(apiVersion ?? null)}`;
}

/** Parses manifests. With `raw`, nothing is filled in that an API server would. Throws MANIFEST_INVALID. */
export function parseManifests(text: string, source: string, raw: boolean): Manifests {
  const objects: KubernetesObject[] = [];
  const ignored: string[] = [];
  const broken: string[] = [];
  for (const [index, value] of documents(text, source).entries()) {
    const kind = isRecord(value) ? kindOf(value) : undefined;
    if (!isRecord(value) || kind === undefined) {
      ignored.push(`${source}: document ${index + 1} is ${described(value)}, which is not translated`);
      continue;
    }
    try {
      objects.push(parseObject(kind, raw ? value : withDefaults(kind, value)));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      broken.push(`${source}: document ${index + 1}: a ${kind} without usable metadata`);
    }
  }
  return { objects, ignored, broken };
}

/** Reads manifests from a file, a folder with all below it, or `-` for standard input. Throws MANIFEST_INVALID. */
export function readManifests(file: string, raw: boolean): Manifests {
  if (file === '-') return parseManifests(readFileSync(0, 'utf8'), 'standard input', raw);
  if (statSync(file, { throwIfNoEntry: false }) === undefined) {
    throw new AppError('MANIFEST_INVALID', `${file} does not exist`);
  }
  const parts = filesIn(file).map((name) => parseManifests(readFileSync(name, 'utf8'), name, raw));
  return {
    objects: parts.flatMap((part) => part.objects),
    ignored: parts.flatMap((part) => part.ignored),
    broken: parts.flatMap((part) => part.broken),
  };
}
