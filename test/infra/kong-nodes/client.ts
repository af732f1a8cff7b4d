import http from 'node:http';
import https from 'node:https';
import { TLSSocket } from 'node:tls';
import { close, listen } from '../../../infra/local/listen.ts';

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
  /** Subject of the certificate shown, `''` for plain HTTP. */
  readonly subject: string;
}

export interface Call {
  readonly host?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** TLS server name; none unless given. */
  readonly sni?: string;
}

/** One request on a connection of its own. Rejects when the connection fails. */
export function call(url: string, options: Call = {}): Promise<Answer> {
  const { host, method = 'GET', headers, body, sni } = options;
  const target = new URL(url);
  const common = { method, agent: false as const, headers: { ...headers, ...(host === undefined ? {} : { host }) } };
  return new Promise((resolve, reject) => {
    let socket: TLSSocket | undefined;
    const receive = (response: http.IncomingMessage): void => {
      const subject = socket?.getPeerX509Certificate()?.subject ?? '';
      response.toArray().then(
        (chunks) =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
            subject,
          }),
        reject,
      );
    };
    const tls = { rejectUnauthorized: false, servername: sni ?? '' };
    const request =
      target.protocol === 'https:'
        ? https.request(target, { ...common, ...tls }, receive)
        : http.request(target, common, receive);
    request.on('socket', (opened) => {
      if (opened instanceof TLSSocket) socket = opened;
    });
    request.on('error', reject);
    request.end(body);
  });
}

export interface Seen {
  readonly backend: string;
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** A backend that answers with what it received, as JSON, and the fields `x-backend` and `server: backend`. */
export async function startBackend(name: string): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const server = http.createServer((request, response) => {
    void request.toArray().then((chunks) => {
      const seen: Seen = {
        backend: name,
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      };
      response.writeHead(200, { 'content-type': 'application/json', 'x-backend': name, server: 'backend' });
      response.end(JSON.stringify(seen));
    });
  });
  const port = await listen(server);
  return { port, stop: () => close(server) };
}

/** Waits until `check` gives something else than undefined; at most `ms`. */
export async function until<T>(
  what: string,
  check: () => Promise<T | undefined> | T | undefined,
  ms = 10_000,
): Promise<T> {
  const deadline = Date.now() + ms;
  for (;;) {
    const value = await check();
    if (value !== undefined) return value;
    if (Date.now() > deadline) throw new Error(`waited ${ms} ms in vain: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
}
