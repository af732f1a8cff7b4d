import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { KINDS } from '../shared/kubernetes/kinds.ts';
import { GATES } from '../shared/translate/kong-features.ts';
import { ANNOTATION_COVERAGE, type Coverage, KIND_COVERAGE } from './support/coverage.ts';
import { GENERATED, readme, section } from './support/readme.ts';

const ROOT = path.join(import.meta.dirname, '..');

for (const [name, render] of Object.entries(GENERATED)) {
  test(`the README's table "${name}" is what the code says (npm run golden rewrites it)`, () => {
    assert.ok(section(readme(), name) === render(), 'run npm run golden, and look at the difference');
  });
}

test('the README explains every setting of the functions', () => {
  const files = [
    'shared/config.ts',
    'shared/access/config.ts',
    'shared/access/settings.ts',
    'shared/access/clusters.ts',
    'shared/webhook/config.ts',
    'shared/kong/config.ts',
    'shared/convergence/config.ts',
  ];
  const source = files.map((file) => readFileSync(path.join(ROOT, file), 'utf8')).join('\n');
  const names = new Set([...source.matchAll(/(?:\(env, '|\benv\.)([A-Z][A-Z0-9_]+)/g)].map((match) => match[1] ?? ''));
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

const goldenInput = (name: string): string => readFileSync(path.join(ROOT, 'test', 'golden', name, 'in.yaml'), 'utf8');

test('every kind has a golden case that holds it', () => {
  assert.deepEqual(Object.keys(KIND_COVERAGE).toSorted(), Object.keys(KINDS).toSorted());
  for (const [kind, { golden }] of Object.entries<Coverage>(KIND_COVERAGE)) {
    assert.match(goldenInput(golden), new RegExp(`^kind: ${kind}$`, 'm'), kind);
  }
});

test('every annotation has a golden case that holds it, and none that the code reads is left out', () => {
  for (const [name, { golden }] of Object.entries(ANNOTATION_COVERAGE)) {
    assert.ok(goldenInput(golden).includes(name), `${name} in ${golden}`);
  }
  const known = Object.keys(ANNOTATION_COVERAGE).join(' ');
  for (const file of readdirSync(path.join(ROOT, 'shared', 'translate'))) {
    const source = readFileSync(path.join(ROOT, 'shared', 'translate', file), 'utf8');
    const reads = source.matchAll(/[aA]nnotation\((?:context, )?\w+, '([a-z-]+)'/g);
    for (const [, name] of reads) assert.ok(known.includes(`konghq.com/${name}`), `${name} in ${file}`);
  }
});

test('every gate of the code is in the README', () => {
  for (const gate of Object.keys(GATES)) assert.match(section(readme(), 'gates') ?? '', new RegExp(gate));
});

test('every difference from Kong Ingress Controller is shown by a golden case or a test', () => {
  const rows = (section(readme(), 'differences') ?? '').split('\n').slice(2);
  assert.ok(rows.length > 20);
  for (const row of rows) {
    const links = [...(row.split(' | ').at(-1) ?? '').matchAll(/\[([^\]]+)\]\(([^)]+)\)/g)];
    assert.ok(links.length > 0, row);
    for (const [, , file = ''] of links) {
      assert.match(file, /^test\/(golden\/[^/]+\/in\.yaml|.+\.test\.ts)$/);
      assert.ok(existsSync(path.join(ROOT, file)), `${file} of ${row}`);
    }
  }
});

test('every threat is shown by a test that exists', () => {
  const rows = (section(readme(), 'threats') ?? '').split('\n').slice(2);
  assert.ok(rows.length > 10);
  for (const row of rows) {
    const [, title = '', file = ''] = /\[([^\]]+)\]\((test\/[^)]+\.test\.ts)\) \|$/.exec(row) ?? [];
    assert.notEqual(title, '', row);
    assert.ok(readFileSync(path.join(ROOT, file), 'utf8').includes(title), `"${title}" in ${file}`);
  }
});

test('the README has no link to a file that is not there', () => {
  const links = [...readme().matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map((match) => match[1] ?? '');
  assert.ok(links.length > 50);
  for (const file of links) assert.ok(existsSync(path.join(ROOT, file)), file);
});
