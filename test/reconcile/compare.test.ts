import assert from 'node:assert/strict';
import test from 'node:test';
import type { Overview, OverviewEntity } from '../../shared/index/overview.ts';
import { orphansOf, type Managed } from '../../shared/reconcile/compare.ts';

function known(id: string, proposed: boolean): OverviewEntity {
  return {
    type: 'ca_certificates',
    id,
    slot: id,
    root: 'Secret/default/ca',
    xmin: '1',
    proposed,
    pending: false,
    paused: false,
  };
}

for (const [row, shared, orphans] of [
  ['unknown', false, ['unknown']],
  ['unknown', true, []],
  ['left', false, ['left']],
  ['left', true, ['left']],
  ['kept', false, []],
  ['kept', true, []],
] as const) {
  test(`an entity with our tags that the index calls ${row} is ${orphans.length === 0 ? 'no' : 'an'} orphan where other workspaces are ${shared ? '' : 'not '}possible`, () => {
    const index: Overview = { roots: new Map(), entities: [known('left', false), known('kept', true)], due: [] };
    const managed: Managed = new Map([['ca_certificates', [{ id: row, xmin: '1', shared }]]]);
    assert.deepEqual(
      orphansOf(index, managed).map(({ id }) => id),
      orphans,
    );
  });
}
