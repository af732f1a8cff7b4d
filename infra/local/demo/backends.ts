import http from 'node:http';
import { close, listen } from '../listen.ts';

/** A local HTTP server that plays a pod: it answers with its name and what it received. */
export interface Backend {
  readonly name: string;
  readonly port: number;
  stop(): Promise<void>;
}

/** What a backend answers, as JSON. */
export interface Echo {
  readonly backend: string;
  readonly method: string;
  readonly path: string;
  readonly host: string;
  /** Request headers, names in lower case. */
  readonly headers: http.IncomingHttpHeaders;
}

/** Starts a backend on a free port of 127.0.0.1. */
export async function startBackend(name: string): Promise<Backend> {
  const server = http.createServer((request, response) => {
    const echo: Echo = {
      backend: name,
      method: request.method ?? '',
      path: request.url ?? '',
      host: request.headers.host ?? '',
      headers: request.headers,
    };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(echo));
  });
  const port = await listen(server);
  return { name, port, stop: () => close(server) };
}
