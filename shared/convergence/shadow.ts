import { randomUUID } from 'node:crypto';
import type { ConnectionOptions } from 'node:tls';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { WebSocket } from 'ws';
import { isRecord, parseJson } from '../json.ts';
import type { JsonRecord } from '../json.ts';
import { text } from '../kong/json.ts';
import type { KongRoot } from '../kong/root.ts';

const unzip = promisify(gunzip);

/** How to join a control plane as a data plane does. */
export interface ClusterConfig {
  /** `wss://host:port` of the control planes' cluster ports. */
  readonly urls: readonly string[];
  /** PEM of the data planes' certificate and key. */
  readonly certificate: string;
  readonly key: string;
  /** PEM of who signed the control plane's certificate; the certificate itself with `cluster_mtls = shared`. */
  readonly ca: string;
  /** The name that the control plane's certificate must have. */
  readonly serverName: string;
  /** Largest frame, bytes, compressed. */
  readonly maxFrameBytes: number;
}

/** What a control plane pushes, as it was when it pushed it last, or now. */
export interface Frame {
  readonly hash: string;
  /** Entity type → entities, as Kong's declarative format has them. */
  readonly tables: ReadonlyMap<string, readonly JsonRecord[]>;
}

/** Why there is no frame, for people, without anything secret. */
export interface NoFrame {
  readonly unavailable: string;
}

/** Long enough for an export at connect (0.5 s at 10,000 entities, CV §1), far shorter than what writes a row (45 s). */
const TIMEOUT_MS = 10_000;
/** Like entities compress 27:1 (CV §1). */
const MOST_EXPANSION = 32;

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ETIMEDOUT: 'it does not answer',
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 'its configuration is larger than KONG_CLUSTER_MAX_FRAME_BYTES',
  ERR_BUFFER_TOO_LARGE: 'its configuration is larger than KONG_CLUSTER_MAX_FRAME_BYTES allows',
};

/** The reason of a failure, by its code alone: messages can repeat what was sent. */
function reasonOf(error: unknown): string {
  const code = isRecord(error) ? text(error.code) : undefined;
  if (code !== undefined) return REASONS[code] ?? code;
  const status = error instanceof Error ? /^Unexpected server response: (\d{3})$/.exec(error.message)?.[1] : undefined;
  return status === undefined ? 'the connection failed' : `it answered ${status}`;
}

/** Who we are, and who the control plane must be. */
function identity(config: ClusterConfig): Pick<ConnectionOptions, 'cert' | 'key' | 'ca' | 'servername'> {
  const { certificate, key, ca, serverName } = config;
  return { cert: certificate, key, ca, servername: serverName };
}

function open(url: string, config: ClusterConfig, { version }: Pick<KongRoot, 'version'>): WebSocket {
  const target = new URL('/v1/outlet', url);
  target.searchParams.set('node_id', randomUUID());
  target.searchParams.set('node_hostname', 'kong-ingress-functions');
  // A newer version than the control plane's would leave a row in its database.
  target.searchParams.set('node_version', version);
  return new WebSocket(target, {
    ...identity(config),
    // In shared mode the certificate names the cluster and no host; being signed by that very certificate is the check.
    // False is what Node takes for "no error".
    ...(config.ca === config.certificate ? { checkServerIdentity: () => false } : {}),
    perMessageDeflate: false,
    maxPayload: config.maxFrameBytes,
    handshakeTimeout: TIMEOUT_MS,
  });
}

function introduction({ pluginVersions }: Pick<KongRoot, 'pluginVersions'>): Buffer {
  const plugins = [...pluginVersions].map(([name, version]) => ({ name, version }));
  return Buffer.from(JSON.stringify({ type: 'basic_info', plugins, filters: {} }));
}

/** The first frame. It never pings: a ping would write a row. */
function firstFrame(socket: WebSocket, said: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(Object.assign(new Error('late'), { code: 'ETIMEDOUT' })), TIMEOUT_MS);
    socket.on('error', reject);
    socket.on('close', () =>
      reject(Object.assign(new Error('closed'), { code: 'it closed the connection without a configuration' })),
    );
    socket.on('open', () => socket.send(said, { binary: true }));
    socket.on('message', (data) => {
      clearTimeout(late);
      if (Buffer.isBuffer(data)) resolve(data);
    });
    socket.on('close', () => clearTimeout(late));
  });
}

function parse(json: string): Frame | NoFrame {
  const body = parseJson(json);
  const table =
    isRecord(body) && body.type === 'reconfigure' && isRecord(body.config_table) ? body.config_table : undefined;
  const hash = isRecord(body) ? text(body.config_hash) : undefined;
  if (table === undefined || hash === undefined) return { unavailable: 'what it sent is no configuration' };
  const entities = Object.entries(table).map(([type, list]): readonly [string, readonly JsonRecord[]] => [
    type,
    Array.isArray(list) ? list.filter(isRecord) : [],
  ]);
  return { hash, tables: new Map(entities) };
}

/**
 * Joins a control plane as a silent data plane, takes the configuration that it would push, and leaves: no row in its
 * database tells of it (CV §1). During the pause after a push that can be the one pushed last, without newer writes. Never
 * rejects: what goes wrong is the reason why there is no frame.
 */
export async function takeFrame(
  url: string,
  config: ClusterConfig,
  root: Pick<KongRoot, 'version' | 'pluginVersions'>,
): Promise<Frame | NoFrame> {
  let socket: WebSocket | undefined;
  try {
    socket = open(url, config, root);
    const frame = await firstFrame(socket, introduction(root));
    const json = await unzip(frame, { maxOutputLength: config.maxFrameBytes * MOST_EXPANSION });
    return parse(json.toString('utf8'));
  } catch (error) {
    return { unavailable: reasonOf(error) };
  } finally {
    socket?.on('error', () => undefined);
    socket?.terminate();
  }
}
