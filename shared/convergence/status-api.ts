import { isRecord } from '../json.ts';
import { text } from '../kong/json.ts';
import type { Pod } from './live-verdict.ts';
import type { SeenRow } from './evidence.ts';

const TIMEOUT_MS = 2_000;

/** Where data planes' Status APIs are. */
export interface StatusConfig {
  /** Name, id or address of a data plane → `http://host:port`. */
  readonly urls: ReadonlyMap<string, string>;
  /** Port of the pods' Status API (`status_listen`); undefined: they are not asked. */
  readonly podPort: number | undefined;
}

/** What data planes said, by row id. */
export interface Statuses {
  readonly hashes: ReadonlyMap<string, string>;
  /** Why one that was asked did not say it. */
  readonly silent: ReadonlyMap<string, string>;
}

async function ask(url: string): Promise<{ readonly hash: string } | { readonly silent: string }> {
  try {
    const response = await fetch(new URL('/status', url), { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const body: unknown = await response.json();
    const hash = isRecord(body) ? text(body.configuration_hash) : undefined;
    return hash === undefined ? { silent: `its Status API answered ${response.status} without a hash` } : { hash };
  } catch {
    return { silent: 'its Status API does not answer' };
  }
}

function urlOf(
  { id, hostname, ip }: SeenRow,
  { urls, podPort }: StatusConfig,
  pods: readonly Pod[],
): string | undefined {
  const given = urls.get(hostname) ?? urls.get(id) ?? urls.get(ip);
  if (given !== undefined || podPort === undefined) return given;
  const pod = pods.find(({ name }) => name === hostname) ?? pods.find((item) => item.ip === ip);
  if (pod === undefined) return undefined;
  return `http://${pod.ip.includes(':') ? `[${pod.ip}]` : pod.ip}:${podPort}`;
}

/** Asks the data planes for the hash of what they hold (`configuration_hash`, DB §2.3). Never rejects. */
export async function statuses(
  rows: readonly SeenRow[],
  config: StatusConfig,
  pods: readonly Pod[],
): Promise<Statuses> {
  const asked = rows.flatMap((row) => {
    const url = urlOf(row, config, pods);
    return url === undefined ? [] : [{ id: row.id, url }];
  });
  const answers = await Promise.all(asked.map(async ({ id, url }) => ({ id, answer: await ask(url) })));
  return {
    hashes: new Map(answers.flatMap(({ id, answer }) => ('hash' in answer ? [[id, answer.hash] as const] : []))),
    silent: new Map(answers.flatMap(({ id, answer }) => ('silent' in answer ? [[id, answer.silent] as const] : []))),
  };
}
