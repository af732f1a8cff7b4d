import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ERRORS, type ErrorInfo } from '../../shared/errors.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');

/** The README as it is in the checkout. */
export function readme(): string {
  return readFileSync(path.join(ROOT, 'README.md'), 'utf8');
}

/** The README's troubleshooting table, made from the error table. */
export function troubleshooting(): string {
  const rows = Object.entries<ErrorInfo>(ERRORS)
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([code, info]) => `| \`${code}\` | ${info.cause} | ${info.nextStep} |`);
  return ['| code | cause | what to do |', '| --- | --- | --- |', ...rows].join('\n');
}

/** The tables that are generated into the README, by the name in their markers `<!-- name -->` and `<!-- /name -->`. */
export const GENERATED: Readonly<Record<string, () => string>> = { troubleshooting };

/** The text between the markers of this name, or undefined when the README lacks them. */
export function section(text: string, name: string): string | undefined {
  return new RegExp(`<!-- ${name} -->\n([\\s\\S]*?)\n<!-- /${name} -->`).exec(text)?.[1];
}

/** The README with every generated table made anew. */
export function refreshed(text: string): string {
  return Object.entries(GENERATED).reduce((current, [name, render]) => {
    const start = `<!-- ${name} -->`;
    const end = `<!-- /${name} -->`;
    const from = current.indexOf(start);
    const to = current.indexOf(end);
    if (from < 0 || to < 0) throw new Error(`README.md lacks the markers of ${name}`);
    return `${current.slice(0, from)}${start}\n${render()}\n${current.slice(to)}`;
  }, text);
}
