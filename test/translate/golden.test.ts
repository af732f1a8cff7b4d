import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { goldenCases, renderCase } from '../golden/cases.ts';

const cases = goldenCases();

test('there are golden cases', () => {
  assert.ok(cases.length > 0);
});

for (const golden of cases) {
  test(`golden ${golden.name}`, async () => {
    assert.equal(
      await renderCase(golden),
      readFileSync(golden.golden, 'utf8'),
      'run "npm run golden" and review the diff',
    );
  });
}
