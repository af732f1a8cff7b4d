import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { GENERATED, readme, section } from './support/readme.ts';

const ROOT = path.join(import.meta.dirname, '..');

for (const [name, render] of Object.entries(GENERATED)) {
  test(`the README's table "${name}" is what the code says (npm run golden rewrites it)`, () => {
    assert.equal(section(readme(), name), render());
  });
}

test('the README explains every setting that shared/config.ts reads', () => {
  const source = readFileSync(path.join(ROOT, 'shared/config.ts'), 'utf8');
  const names = new Set([...source.matchAll(/\(env, '([A-Z][A-Z0-9_]+)'/g)].map((match) => match[1] ?? ''));
  assert.ok(names.size > 10);
  for (const name of names) assert.match(readme(), new RegExp(`\`${name}\``), name);
});

test('every npm script that the README mentions exists', () => {
  const scripts: unknown = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')).scripts;
  assert.ok(typeof scripts === 'object' && scripts !== null);
  const mentioned = new Set([...readme().matchAll(/npm run ([a-z][a-z:-]*)/g)].map((match) => match[1] ?? ''));
  assert.ok(mentioned.size > 3);
  for (const name of mentioned) assert.ok(Object.hasOwn(scripts, name), `npm run ${name}`);
});
