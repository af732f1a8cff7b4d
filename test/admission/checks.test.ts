import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHECKED } from '../../shared/webhook/worth.ts';
import { readme } from '../support/readme.ts';
import { usePlanes } from '../support/planes.ts';
import { CASES } from './cases.ts';
import { judgeReview, reviewOf, store, toolsFor } from './support.ts';

const withPlane = usePlanes();

test('every check lets the right object pass and refuses the wrong one with what to do', (t) =>
  withPlane(0, async (plane) => {
    for (const { check, accepted, refused, says, cluster = [], options } of CASES) {
      await t.test(check, async () => {
        store(plane, ...cluster);
        try {
          const tools = toolsFor(plane, options, false);
          const good = await judgeReview(reviewOf(accepted), tools);
          assert.deepEqual([good.allowed, good.message, good.unchecked], [true, '', []]);
          const bad = await judgeReview(reviewOf(refused), tools);
          assert.equal(bad.allowed, false, JSON.stringify(bad.warnings));
          assert.match(bad.message, says);
          assert.equal(bad.code, 400);
        } finally {
          for (const { kind, metadata } of cluster) plane.cluster.remove(kind, metadata.namespace ?? '', metadata.name);
        }
      });
    }
  }));

/** Kinds of which nothing is refused; rules.test.ts shows what they are warned of. */
const WARNED = ['KongIngress', 'KongLicense', 'Service'];

test('every kind that is judged has a check here, and a row in the README', () => {
  const checked = new Set([...CASES.map(({ accepted }) => accepted.kind), ...WARNED]);
  assert.deepEqual([...checked].toSorted(), Object.keys(CHECKED).toSorted());
  const [, text = ''] = /\n## Admission\n([^]*?)\n## /.exec(readme()) ?? [];
  const rows = text.split('\n').flatMap((line) => /^\| (.*?) \|/.exec(line)?.[1] ?? []);
  for (const kind of checked)
    assert.ok(
      rows.some((row) => row.split(/[ ,]+/).includes(kind)),
      kind,
    );
});
