import http from 'node:http';
import https from 'node:https';

/** A request through a data plane's proxy. */
export interface Probe {
  /** `http` or `https`; https sends `host` as SNI and accepts any certificate, whose names are in the answer. */
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
  /** Names in lower case. */
  readonly headers: http.IncomingHttpHeaders;
  /** subjectAltName of the certificate that the proxy showed, `''` for http. */
  readonly certificate: string;
}

/** Sends one request on a fresh connection. Rejects when the proxy cannot be reached within 5,000 ms. */
export function send(proxyUrl: string, probe: Probe): Promise<Answer> {
  const { hostname, port } = new URL(proxyUrl);
  const options = {
    host: hostname,
    port,
    path: probe.path,
    agent: false,
    timeout: 5_000,
    headers: { ...probe.headers, host: probe.host, connection: 'close' },
  };
  return new Promise((resolve, reject) => {
    const request =
      probe.scheme === 'https'
        ? https.request({ ...options, servername: probe.host, rejectUnauthorized: false })
        : http.request(options);
    let certificate = '';
    request.on('socket', (socket) => {
      socket.on('secureConnect', () => {
        if ('getPeerX509Certificate' in socket && typeof socket.getPeerX509Certificate === 'function') {
          certificate = socket.getPeerX509Certificate()?.subjectAltName ?? '';
        }
      });
    });
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString('utf8'),
          certificate,
        }),
      );
    });
    request.on('timeout', () => request.destroy(new Error('the proxy did not answer within 5,000 ms')));
    request.on('error', reject);
    request.end();
  });
}
