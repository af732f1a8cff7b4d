import { randomBytes } from 'node:crypto';
import { isRecord } from '../../../shared/json.ts';
import { readManifest, type Cluster } from './cluster.ts';
import type { Proof, Step } from './journey.ts';
import type { Answer } from './probe.ts';
import { field, reaches } from './proofs.ts';

const manifest = (name: string): URL => new URL(name, import.meta.url);

function header(answer: Answer, name: string): unknown {
  const headers = field(answer, 'headers');
  return isRecord(headers) ? headers[name] : undefined;
}

/** Three of four requests reach `web`, the others `assets`, and all carry the header that the route sets. */
const SPLIT: Proof = {
  scheme: 'http',
  host: 'split.shop.example',
  path: '/',
  says: 'http://split.shop.example/ reaches web and assets 3:1, with the header of the HTTPRoute',
  holds: (answer) => answer.status === 200 && header(answer, 'x-shop') === 'gateway',
  together: (answers) => {
    const web = answers.filter((answer) => String(field(answer, 'backend')).startsWith('web')).length;
    const assets = answers.filter((answer) => field(answer, 'backend') === 'assets').length;
    return web + assets === answers.length && web > assets && assets > 0;
  },
};

const STAMPED: Proof = {
  scheme: 'http',
  host: 'stamped.shop.example',
  path: '/',
  says: 'http://stamped.shop.example/ answers with the header that the Secret holds',
  holds: (answer) => answer.status === 200 && answer.headers['x-stamp'] === 'from-a-secret',
};

function members(key: string): readonly Proof[] {
  const url = 'http://members.shop.example/';
  const request = { scheme: 'http', host: 'members.shop.example', path: '/' } as const;
  return [
    { ...request, says: `${url} without a key is refused (401)`, holds: (answer) => answer.status === 401 },
    {
      ...reaches(url, 'api'),
      headers: { apikey: key },
      says: `${url} with alice's key reaches api as alice`,
      holds: (answer) => answer.status === 200 && header(answer, 'x-consumer-username') === 'alice',
    },
  ];
}

/** Steps with the Gateway API and Kong's own resources. */
export async function moreSteps(cluster: Cluster): Promise<readonly Step[]> {
  const key = randomBytes(12).toString('hex');
  const [gateway, plugin, consumer] = await Promise.all([
    readManifest(manifest('gateway.yaml'), {}),
    readManifest(manifest('plugin.yaml'), {}),
    readManifest(manifest('consumer.yaml'), { API_KEY: key }),
  ]);
  return [
    {
      name: 'an HTTPRoute with weights, a KongPlugin with a Secret, a KongConsumer',
      expectedEvents: 10,
      act: () => cluster.apply(...gateway, ...plugin, ...consumer),
      proofs: [SPLIT, STAMPED, ...members(key)],
    },
  ];
}
