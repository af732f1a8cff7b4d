import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { startKong } from '../../infra/local/kong/index.ts';
import type { KongStandIn } from '../../infra/local/kong/index.ts';
import { temporaryPostgres } from '../support/postgres.ts';
import type { TemporaryPostgres } from '../support/postgres.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const PROGRAM = `
  const { handler } = await import('./functions/converge.ts');
  const context = { awsRequestId: 'run-1', functionName: 'converge', getRemainingTimeInMillis: () => 30000 };
  await handler({ id: 'tick-1' }, context);
`;

let server: TemporaryPostgres;
let kong: KongStandIn;
let databaseUrl: string;

before(async () => {
  server = await temporaryPostgres();
  databaseUrl = await server.createDatabase('kong');
  kong = await startKong({ databaseUrl, topology: 'traditional', log: () => undefined });
});

after(async () => {
  await kong.stop();
  await server.stop();
});

/** Everything that a run of the function printed, by line. */
async function run(environment: Readonly<Record<string, string>>): Promise<readonly Record<string, unknown>[]> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', PROGRAM], {
    cwd: ROOT,
    env: { POWERTOOLS_METRICS_NAMESPACE: 'KongIngressFunctions', POWERTOOLS_SERVICE_NAME: 'test', ...environment },
  });
  return stdout
    .trim()
    .split('\n')
    .map((line): Record<string, unknown> => JSON.parse(line));
}

test('a run prints one log line and one set of metrics, without secrets, and ends by itself', async () => {
  const lines = await run({ KONG_ADMIN_URL: kong.adminUrls.join(), KONG_DATABASE_URL: databaseUrl });
  const logged = lines.filter((line) => line.message === 'converge');
  const metrics = lines.filter((line) => Object.hasOwn(line, '_aws'));
  assert.equal(logged.length, 1);
  assert.equal(logged[0]?.topology, 'traditional');
  assert.equal(logged[0]?.correlation_id, 'tick-1');
  assert.ok(Array.isArray(logged[0]?.dataPlanes));
  assert.equal(metrics.length, 1);
  assert.equal(metrics[0]?.DataPlanesUnknown, 2);
  assert.equal(lines.length, 2);
  assert.ok(!JSON.stringify(lines).includes(new URL(databaseUrl).password));
});
