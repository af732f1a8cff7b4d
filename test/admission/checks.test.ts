import assert from 'node:assert/strict';
import { test } from 'node:test';
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
