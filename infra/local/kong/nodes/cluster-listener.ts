import { createServer } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { RawData, WebSocket } from 'ws';
import { isRecord, parseJson } from '../../../../shared/json.ts';
import { selfSigned } from '../../certificate.ts';
import type { KeyPair } from '../../certificate.ts';
import { close, listen } from '../../listen.ts';
import type { Client, ControlPlaneLink } from './control-plane.ts';
import { frameOf } from './frame.ts';
import { EMPTY_HASH } from './snapshot.ts';

/** A data plane that is not heard of for so long is dropped; looked at every `CHECK_MS`. */
const PING_WAIT_MS = 45_000;
const CHECK_MS = 5_000;
/** A ping carries the hash of the configuration. */
const PING_BYTES = 32;

/** The cluster port of a control plane. */
export interface ClusterListener {
  /** `wss://127.0.0.1:<port>`. */
  readonly url: string;
  /** The certificate and key that both sides have (`cluster_mtls = shared`). */
  readonly pair: KeyPair;
  stop(): Promise<void>;
}

interface Introduction {
  readonly id: string;
  readonly hostname: string;
  readonly version: string;
}

function introduction(request: IncomingMessage): Introduction | undefined {
  const query = URL.parse(request.url ?? '', 'wss://cluster')?.searchParams;
  const [id, version] = [query?.get('node_id') ?? '', query?.get('node_version') ?? ''];
  if (id === '' || version === '') return undefined;
  return { id, version, hostname: query?.get('node_hostname') ?? 'unknown' };
}

/** What a data plane must say first: a binary frame with its plugins. */
function isBasicInfo(data: RawData, binary: boolean): boolean {
  const said = binary && Buffer.isBuffer(data) ? parseJson(data.toString('utf8')) : undefined;
  return isRecord(said) && said.type === 'basic_info' && typeof said.plugins === 'object' && said.plugins !== null;
}

/** Serves one data plane as a control plane does, until either side ends it. */
function serve(socket: WebSocket, { id, hostname, version }: Introduction, controlPlane: ControlPlaneLink): void {
  const client: Client = { receive: (snapshot) => socket.send(frameOf(snapshot, Date.now()), { binary: true }) };
  const report = { id, hostname, version };
  let heard = Date.now();
  const check = setInterval(() => {
    if (Date.now() - heard > PING_WAIT_MS) socket.close();
  }, CHECK_MS);
  socket.on('close', () => {
    clearInterval(check);
    controlPlane.disconnect(client);
  });
  socket.on('error', () => socket.terminate());
  socket.on('ping', (data) => {
    heard = Date.now();
    if (data.length !== PING_BYTES) return socket.close();
    return void controlPlane.ping({ ...report, hash: data.toString('latin1') }).catch(() => socket.close());
  });
  socket.once('message', (data, binary) => {
    if (!isBasicInfo(data, binary)) return socket.close();
    const joined = controlPlane.connect(client, { ...report, hash: EMPTY_HASH });
    return void joined.then((accepted) => accepted || socket.close()).catch(() => socket.close());
  });
}

function refuse(socket: Duplex): void {
  socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
}

/** Opens the cluster port on 127.0.0.1 with mutual TLS, for data planes that are not part of the stand-in (CV §1). */
export async function startClusterListener(controlPlane: ControlPlaneLink): Promise<ClusterListener> {
  const pair = await selfSigned(['kong_clustering']);
  const { certificate: cert, key } = pair;
  const server = createServer({ cert, key, ca: [cert], requestCert: true, rejectUnauthorized: true });
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, autoPong: true });
  server.on('upgrade', (request, socket, head) => {
    const who = introduction(request);
    if (who === undefined || !request.url?.startsWith('/v1/outlet?')) return refuse(socket);
    return sockets.handleUpgrade(request, socket, head, (joined) => serve(joined, who, controlPlane));
  });
  const port = await listen(server);
  return {
    url: `wss://127.0.0.1:${port}`,
    pair,
    async stop() {
      for (const socket of sockets.clients) socket.terminate();
      await close(server);
    },
  };
}
