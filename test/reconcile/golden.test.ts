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

const REDIRECT = 'a redirect to a path alone is no URL';
const APPEND = 'a header that is added without a value has no colon';

/** Cases with entities that a Kong 3.9 without Enterprise refuses, and why; the others of each are taken over nevertheless. */
const REFUSED: Readonly<Record<string, string>> = {
  'consumers/community': 'the key of a JWT credential is none',
  'consumers/default': 'the key of a JWT credential is none',
  'custom-entities/default': 'a plugin of Enterprise',
  'httproute-filters/default': APPEND,
  'httproute-filters/expressions': APPEND,
  'httproute-redirect/default': REDIRECT,
  'httproute-redirect/expressions': REDIRECT,
  'plugin-config/default': 'a plugin that does not exist',
  'plugin-matrix/default': 'consumer groups of Enterprise',
  'upstream-policy/kong-3-11': 'fields of Kong 3.11',
  'vaults/default': 'vaults of Enterprise',
};

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
  context.diagnostic(`${goldenCases().length} cases, ${entities} entities`);
  assert.deepEqual(failed, []);
  assert.deepEqual(refusing, Object.keys(REFUSED));
  assert.ok(entities > 400);
});
