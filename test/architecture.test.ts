import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

const ROOT = path.join(import.meta.dirname, '..');

function sources(folder: string): string[] {
  return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => path.join(folder, file).replaceAll(path.sep, '/'));
}

/** Modules that a file imports for their values (not for types alone), project files as paths from the root. */
function imports(file: string): string[] {
  const text = readFileSync(path.join(ROOT, file), 'utf8');
  return [...text.matchAll(/^(?:import|export)\s(?!type\s)[^;]*?from\s+'([^']+)'|import\('([^']+)'\)/gm)].map(
    (match) => {
      const target = match[1] ?? match[2] ?? '';
      return target.startsWith('.') ? path.join(path.dirname(file), target).replaceAll(path.sep, '/') : target;
    },
  );
}

const PURE = [
  ...sources('shared/translate'),
  ...sources('shared/plan').filter((file) => !/\/apply/.test(file)),
  ...sources('shared/convergence').filter((file) => /verdict/.test(file)),
  ...sources('shared/status').filter((file) => !file.endsWith('/config.ts')),
];
const PURE_LIBRARIES = new Set(['node:crypto', 'node:net', 'uuid', 'yaml']);

test('translation, planning, verdicts and statuses import nothing that has effects', () => {
  assert.ok(PURE.length > 3);
  for (const file of PURE) {
    for (const target of imports(file)) {
      const own =
        /^shared\/(translate|plan|kubernetes|kong|convergence|status)\/|^shared\/(errors|findings|json|hash)[./]/.test(
          target,
        );
      assert.ok(own || PURE_LIBRARIES.has(target), `${file} imports ${target}`);
      assert.ok(!/\/(apply|client|live|admin|actual|cluster)\.ts$/.test(target), `${file} imports ${target}`);
    }
  }
});

test('translation, planning, verdicts and statuses use no clock, randomness, logger or environment', () => {
  for (const file of PURE) {
    const text = readFileSync(path.join(ROOT, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    assert.doesNotMatch(
      text,
      /\bDate\.now\(|new Date\(\)|Math\.random|randomUUID|randomBytes|console\.|process\.env/,
      file,
    );
  }
});

test('arrows point one way: shared/ never imports functions/ or infra/, functions/ never infra/', () => {
  for (const file of sources('shared')) {
    for (const target of imports(file)) assert.doesNotMatch(target, /^(functions|infra|test)\//, file);
  }
  for (const file of sources('functions')) {
    for (const target of imports(file)) assert.doesNotMatch(target, /^(infra|test)\//, file);
  }
});

test('no source file is longer than 500 lines', () => {
  for (const file of ['functions', 'infra', 'shared', 'test'].flatMap(sources)) {
    const lines = readFileSync(path.join(ROOT, file), 'utf8').split('\n').length - 1;
    assert.ok(lines <= 500, `${file} has ${lines} lines`);
  }
});
