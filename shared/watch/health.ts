import { createServer } from 'node:http';
import type { WatchReport } from './watch.ts';

/** Answers a kubelet's probes: `/livez` while the process runs, `/readyz` once every kind was listed; both with counts. */
export async function serveHealth(
  { host, port }: { readonly host: string; readonly port: number },
  report: () => WatchReport,
): Promise<{ readonly port: number; close(): void }> {
  const server = createServer((request, response) => {
    const current = report();
    const known = request.url === '/livez' || request.url === '/readyz';
    const fine = request.url === '/livez' || current.ready === current.kinds;
    response.writeHead(known ? (fine ? 200 : 503) : 404, { 'content-type': 'application/json' });
    response.end(known ? JSON.stringify(current) : '{}');
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, resolve);
  await promise;
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
