import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { KINDS, apiVersionOf, isKind } from '../../shared/kubernetes/kinds.ts';
import { type Permission, readPermissions, writePermissions } from '../../shared/kubernetes/permissions.ts';

const FOLDER = path.join(import.meta.dirname, '../../infra/kubernetes');

/** Kinds whose objects are not for others to see, so that only their names leave the cluster, or a webhook of their own. */
const CONTENT: ReadonlySet<string> = new Set(['Secret', 'ConfigMap']);

function sequence(values: readonly string[], indent: string): string[] {
  const line = `[${values.map((value) => (value === '' ? "''" : value)).join(', ')}]`;
  return line.length <= 90 ? [line] : ['', ...values.map((value) => `${indent}  - ${value}`)];
}

/** `key: [a, b]`, or one line a value where that gets long. */
function field(key: string, values: readonly string[], indent: string): string[] {
  const [first = '', ...rest] = sequence(values, indent);
  return [`${indent}${key}:${first === '' ? '' : ` ${first}`}`, ...rest];
}

function rules(permissions: readonly Permission[]): string[] {
  return permissions.flatMap(({ group, resources, verbs }) => [
    `- apiGroups: [${group === '' ? "''" : group}]`,
    ...field('resources', resources, '  '),
    ...field('verbs', verbs, '  '),
  ]);
}

/** Resources by group, of the kinds that are for everybody to see or of the others. */
function groups(content: boolean): readonly (readonly [group: string, resources: readonly string[]])[] {
  const kinds = Object.keys(KINDS)
    .filter(isKind)
    .filter((kind) => CONTENT.has(kind) === content);
  const grouped = Map.groupBy(kinds, (kind) => KINDS[kind].group);
  return [...grouped].map(([group, members]) => [group, members.map((kind) => KINDS[kind].plural).toSorted()]);
}

function reviews(content: boolean): string[] {
  return groups(content).flatMap(([group, resources]) => [
    `- apiGroups: [${group === '' ? "''" : group}]`,
    "  apiVersions: ['*']",
    '  operations: [CREATE, UPDATE, DELETE]',
    ...field('resources', resources, '  '),
  ]);
}

function audited(content: boolean): string[] {
  return groups(content).flatMap(([group, resources]) => [
    `- group: ${group === '' ? "''" : group}`,
    ...field('resources', resources, '  '),
  ]);
}

function sources(): string[] {
  return Object.keys(KINDS)
    .filter(isKind)
    .map((kind) => `- { apiVersion: ${apiVersionOf(KINDS[kind].group, KINDS[kind].versions[0])}, kind: ${kind} }`);
}

/** What of the manifests is made from the kinds in the code: file → name of the block → its lines. */
export const MANIFEST_BLOCKS: Readonly<Record<string, Readonly<Record<string, () => readonly string[]>>>> = {
  'rbac.yml': { read: () => rules(readPermissions()), write: () => rules(writePermissions()) },
  'webhook.yml': { changes: () => reviews(false), content: () => reviews(true) },
  'audit-policy.yml': { changes: () => audited(false), content: () => audited(true) },
  'knative.yml': { resources: sources },
};

/** A manifest as it is in the checkout. */
export function manifest(file: string): string {
  return readFileSync(path.join(FOLDER, file), 'utf8');
}

/** A manifest with each block between `# <name>` and `# </name>` made anew. */
export function refreshedManifest(file: string): string {
  return Object.entries(MANIFEST_BLOCKS[file] ?? {}).reduce((text, [name, render]) => {
    const block = new RegExp(`^( *)# <${name}>\n(?:.*\n)*?\\1# </${name}>$`, 'm');
    if (!block.test(text)) throw new Error(`${file} lacks the markers of ${name}`);
    return text.replace(block, (_whole, indent: string) =>
      [`# <${name}>`, ...render(), `# </${name}>`].map((line) => `${indent}${line}`).join('\n'),
    );
  }, manifest(file));
}

/** Writes every manifest anew. */
export function updateManifests(): void {
  for (const file of Object.keys(MANIFEST_BLOCKS)) writeFileSync(path.join(FOLDER, file), refreshedManifest(file));
}
