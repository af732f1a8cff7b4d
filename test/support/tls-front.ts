import { request as forward } from 'node:http';
import { createServer } from 'node:https';
import { TLSSocket } from 'node:tls';
import { type KeyPair, signedBy } from '../../infra/local/certificate.ts';
import { close, listen } from '../../infra/local/listen.ts';

/** What came to the front with one request. */
export interface SeenTls {
  /** The TLS server name that was asked for; undefined when an address was. */
  readonly serverName: string | undefined;
  /** Common name of the client's certificate. */
  readonly client: string | undefined;
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** An Admin API behind TLS. */
export interface TlsFront {
  readonly url: string;
  readonly port: number;
  readonly seen: readonly SeenTls[];
  stop(): Promise<void>;
}

export interface TlsFrontOptions {
  /** Signs the server's certificate. */
  readonly authority: KeyPair;
  readonly hosts: readonly [string, ...string[]];
  /** Clients must have a certificate of this authority; none is asked for without. */
  readonly clients?: KeyPair;
}

function commonName(socket: TLSSocket): string | undefined {
  const name: unknown = socket.getPeerCertificate().subject?.CN;
  return typeof name === 'string' ? name : undefined;
}

/** Terminates TLS on a free port of 127.0.0.1 before the plain HTTP server at `target`. */
export async function tlsFront(target: string, { authority, hosts, clients }: TlsFrontOptions): Promise<TlsFront> {
  const own = await signedBy(authority, hosts);
  const seen: SeenTls[] = [];
  const server = createServer(
    {
      cert: own.certificate,
      key: own.key,
      ...(clients === undefined ? {} : { ca: clients.certificate, requestCert: true, rejectUnauthorized: true }),
    },
    (request, response) => {
      const { socket, method = '', headers } = request;
      if (socket instanceof TLSSocket) {
        const serverName =
          typeof socket.servername === 'string' && socket.servername !== '' ? socket.servername : undefined;
        seen.push({ serverName, client: clients === undefined ? undefined : commonName(socket), method, headers });
      }
      const onward = forward(`${target}${request.url ?? ''}`, { method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      onward.on('error', () => response.destroy());
      request.pipe(onward);
    },
  );
  const port = await listen(server);
  return { url: `https://127.0.0.1:${port}`, port, seen, stop: () => close(server) };
}
