import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { type Bundle, bundle } from '../../../infra/package/bundle.ts';

const functions = join(import.meta.dirname, '../../../functions');
let directory: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bundle-test-'));
});

after(() => rm(directory, { recursive: true, force: true }));

/** What is loaded at start at most, bytes, and what must be exported: a cold start pays for every byte. */
const BUDGETS = [
  { file: 'webhook', bytes: 300_000, exports: ['handler', 'logs'] },
  { file: 'sync', bytes: 1_000_000, exports: ['handler'] },
  { file: 'reconcile', bytes: 2_800_000, exports: ['handler'] },
  { file: 'converge', bytes: 2_800_000, exports: ['handler'] },
] as const;

async function written(file: string): Promise<Bundle> {
  const made = await bundle(join(functions, `${file}.ts`));
  for (const [name, code] of made.files) await writeFile(join(directory, name), code);
  return made;
}

for (const { file, bytes, exports } of BUDGETS) {
  test(`${file} loads at most ${bytes} bytes at start and exports ${exports.join(' and ')}`, async () => {
    const { files, size, total } = await written(file);
    const sizes = [...files.values()].map((code) => code.byteLength);
    assert.equal(
      total,
      sizes.reduce((sum, one) => sum + one, 0),
    );
    assert.equal([...files.keys()][0], `${file}.mjs`);
    assert.ok(size <= bytes, `${size} bytes`);
    const module: Record<string, unknown> = await import(pathToFileURL(join(directory, `${file}.mjs`)).href);
    for (const name of exports) assert.equal(typeof module[name], 'function', name);
  });
}

test('what judges admission reviews is loaded when it is needed, and not before', async () => {
  const { files, size, total } = await written('webhook');
  const judging = [...files].filter(([, code]) => Buffer.from(code).includes('/schemas/'));
  assert.equal(judging.length, 1);
  const code = judging[0]?.[1] ?? new Uint8Array();
  assert.ok(code.byteLength > 100_000 && code.byteLength <= 600_000, `${code.byteLength} bytes`);
  assert.ok(size + code.byteLength <= total, 'it is not loaded at start');
});
