import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { bundle } from '../../../infra/package/bundle.ts';

const functions = join(import.meta.dirname, '../../../functions');
let directory: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bundle-test-'));
});

after(() => rm(directory, { recursive: true, force: true }));

/** Largest bundle, bytes, and what it must export: a cold start pays for every byte. */
const BUDGETS = [
  { file: 'webhook', bytes: 500_000, exports: ['handler', 'logs'] },
  { file: 'sync', bytes: 1_000_000, exports: ['handler'] },
  { file: 'reconcile', bytes: 2_800_000, exports: ['handler'] },
  { file: 'converge', bytes: 2_800_000, exports: ['handler'] },
] as const;

for (const { file, bytes, exports } of BUDGETS) {
  test(`${file} is one file of at most ${bytes} bytes that exports ${exports.join(' and ')}`, async () => {
    const { code, size } = await bundle(join(functions, `${file}.ts`));
    assert.equal(size, code.byteLength);
    assert.ok(size <= bytes, `${size} bytes`);
    const target = join(directory, `${file}.mjs`);
    await writeFile(target, code);
    const module: Record<string, unknown> = await import(pathToFileURL(target).href);
    for (const name of exports) assert.equal(typeof module[name], 'function', name);
  });
}
