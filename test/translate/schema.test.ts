import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseManifests } from '../../shared/cli/files.ts';
import { translateAll } from '../../shared/translate/offline.ts';
import { OPTIONS, goldenCases } from '../golden/cases.ts';
import { schemaProblem } from './kong-schema.ts';

// The stand-in's schemas are Kong 3.9's.
for (const { name, input, options } of goldenCases().filter(
  (item) => item.options.kongVersion === OPTIONS.kongVersion,
)) {
  test(`Kong's schemas take what ${name} gives`, async () => {
    const { objects } = parseManifests(readFileSync(input, 'utf8'), 'in.yaml', options.raw);
    const { entities } = await translateAll(objects, options);
    for (const entity of entities) {
      assert.equal(
        schemaProblem(entity, options.routerFlavor),
        undefined,
        `${entity.type} ${JSON.stringify(entity.body)}`,
      );
    }
  });
}
