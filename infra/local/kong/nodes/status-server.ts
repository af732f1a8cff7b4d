import http from 'node:http';
import { close, listen } from '../../listen.ts';

/** What `GET /status` says beside the server's counters. */
export type StatusFacts =
  | { readonly configuration_hash: string }
  | { readonly database: { readonly reachable: boolean } };

export interface StatusServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts a node's Status API: `/status` and `/status/ready`. `ready` is undefined when it is, else the reason. */
export async function startStatusServer(
  facts: () => Promise<StatusFacts>,
  ready: () => string | undefined,
  port = 0,
): Promise<StatusServer> {
  let requests = 0;
  const answer = async (path: string): Promise<readonly [number, unknown]> => {
    if (path === '/status') {
      const server = {
        connections_active: 1,
        connections_accepted: requests,
        connections_handled: requests,
        total_requests: requests,
      };
      return [200, { memory: { lua_shared_dicts: {}, workers_lua_vms: [] }, server, ...(await facts()) }];
    }
    if (path === '/status/ready') {
      const reason = ready();
      return reason === undefined ? [200, { message: 'ready' }] : [503, { message: reason }];
    }
    return [404, { message: 'Not found' }];
  };
  const server = http.createServer((request, response) => {
    requests += 1;
    void answer((request.url ?? '/').replace(/\?.*$/, '')).then(([status, body]) => {
      response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'x-stand-in': 'kong' });
      response.end(JSON.stringify(body));
    });
  });
  const bound = await listen(server, port);
  return { url: `http://127.0.0.1:${bound}`, stop: () => close(server) };
}
