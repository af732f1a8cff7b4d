import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { close, listen } from '../../listen.ts';
import { prepareCertificates } from './certificates.ts';
import type { CertificateStore, Prepared } from './certificates.ts';
import type { Certificate } from './configuration.ts';
import type { ProxyState } from './exchange.ts';
import { RequestHandler } from './handle.ts';
import type { ProxyNode } from './handle.ts';

export interface ProxyOptions {
  readonly node: ProxyNode;
  /** Number of workers; each connection belongs to one of them, as with `reuseport` listeners. */
  readonly workers: number;
  /** What a worker serves with at the moment. */
  state(worker: number): ProxyState;
  certificates(): CertificateStore;
  /** 0 for free ones. */
  readonly port?: number;
  readonly tlsPort?: number;
}

export interface Proxy {
  readonly url: string;
  readonly tlsUrl: string;
  /** Connections are refused until `open`. May be called twice. */
  close(): Promise<void>;
  /** Listens again, on the same ports. */
  open(): Promise<void>;
}

/** Gives connections to the workers in turn, so that requests on fresh connections see all of them. */
function workerChooser(workers: number): (socket: Socket) => number {
  const chosen = new WeakMap<Socket, number>();
  let next = 0;
  return (socket) => {
    const known = chosen.get(socket);
    if (known !== undefined) return known;
    const worker = next % workers;
    next += 1;
    chosen.set(socket, worker);
    return worker;
  };
}

function secureServer(
  options: ProxyOptions,
  prepare: (certificate: Certificate | undefined) => Prepared,
  onRequest: http.RequestListener,
): https.Server {
  let shown = prepare(undefined);
  const server = https.createServer(
    {
      ...shown.options,
      ALPNProtocols: ['http/1.1'],
      SNICallback: (sni, done) => done(null, prepare(options.certificates().find(sni)).context),
    },
    onRequest,
  );
  // Clients without SNI never reach SNICallback; they get the certificate of SNI `*`, which may have changed.
  server.prependListener('connection', () => {
    const wanted = prepare(options.certificates().find(undefined));
    if (wanted === shown) return;
    shown = wanted;
    server.setSecureContext(wanted.options);
  });
  return server;
}

/** Starts the HTTP and the HTTPS listener of a data plane on 127.0.0.1. */
export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const prepare = await prepareCertificates();
  const handler = new RequestHandler(options.node);
  const workerOf = workerChooser(options.workers);
  const onRequest: http.RequestListener = (request, response) =>
    void handler.handle(request, response, options.state(workerOf(request.socket)));
  const servers = (): { http: http.Server; https: https.Server } => ({
    http: http.createServer(onRequest),
    https: secureServer(options, prepare, onRequest),
  });
  let current = servers();
  let opened = true;
  const port = await listen(current.http, options.port);
  const tlsPort = await listen(current.https, options.tlsPort);
  return {
    url: `http://127.0.0.1:${port}`,
    tlsUrl: `https://127.0.0.1:${tlsPort}`,
    async close() {
      if (!opened) return;
      opened = false;
      await Promise.all([close(current.http), close(current.https)]);
    },
    async open() {
      if (opened) return;
      current = servers();
      await listen(current.http, port);
      await listen(current.https, tlsPort);
      opened = true;
    },
  };
}
