import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { CHANGES } from '../bench/slice-changes.ts';
import { costs, exceeded } from '../bench/slice-costs.ts';
import { compareWithController } from '../bench/slice-kic.ts';
import { closeSite, openSite } from '../bench/slice-sites.ts';
import { temporaryPostgres, type TemporaryPostgres } from '../support/postgres.ts';

let server: TemporaryPostgres;
before(async () => {
  server = await temporaryPostgres();
});
after(() => server.stop());

test('every change costs the same requests and statements among 10 Ingresses and among 100', async () => {
  const sites = [await openSite(server, 10), await openSite(server, 100)];
  try {
    const changes = CHANGES.filter(({ limits }) => limits !== undefined);
    const { figures, offenders } = await costs(sites, 1, changes);
    assert.deepEqual([...exceeded(figures), ...offenders], []);
    assert.ok(figures.length >= 18 && figures.every(({ kongRequests, pages }) => kongRequests > 0 && pages > 0));
    const [few, many] = await Promise.all(sites.map((site) => compareWithController(site, 1)));
    assert.equal(few?.kongRequests, many?.kongRequests);
    // One request for each upstream more, and nothing else.
    assert.equal((many?.kongRequestsAsController ?? 0) - (few?.kongRequestsAsController ?? 0), 90);
  } finally {
    for (const site of sites) await closeSite(site);
  }
});
