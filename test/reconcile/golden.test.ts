import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test, { after, before } from 'node:test';
import { parse } from 'yaml';
import { parseManifests } from '../../shared/cli/files.ts';
import { isRecord } from '../../shared/json.ts';
import { goldenCases, type GoldenCase } from '../golden/cases.ts';
import { startAdopter, type Adopter, type AdoptionCase } from '../support/adopt.ts';
import { temporaryPostgres, type TemporaryPostgres } from '../support/postgres.ts';

let server: TemporaryPostgres;
let adopter: Adopter;
before(async () => {
  server = await temporaryPostgres();
  adopter = await startAdopter(server);
});
after(async () => {
  await adopter.stop();
  await server.stop();
});

function caseOf({ name, golden, input, options }: GoldenCase): AdoptionCase {
  const document: unknown = parse(readFileSync(golden, 'utf8'));
  return {
    name,
    objects: parseManifests(readFileSync(input, 'utf8'), 'in.yaml', options.raw).objects,
    document: isRecord(document) ? document['entities'] : undefined,
    options,
  };
}

test('what another controller wrote for our golden cases is taken over without a write', async (context) => {
  const failed: string[] = [];
  const refusing: string[] = [];
  let entities = 0;
  for (const item of goldenCases()) {
    const { name, loaded, refused, writes, problems } = await adopter.adopt(caseOf(item));
    entities += loaded;
    if (refused.length > 0) refusing.push(name);
    failed.push(...[...writes, ...problems].map((problem) => `${name}: ${problem}`));
  }
  context.diagnostic(
    `${goldenCases().length} cases, ${entities} entities; in part for another Kong: ${refusing.join(', ')}`,
  );
  assert.deepEqual(failed, []);
  // Enterprise's types and plugins, fields of other versions, and what no Kong takes; the others of such a case count.
  assert.ok(refusing.length < goldenCases().length / 4);
  assert.ok(entities > 450);
});
