import type pg from 'pg';
import { ClusterEvents, PUSH_CHANNEL } from './cluster-events.ts';
import { Bell, every, sleep, startLoop } from './loop.ts';
import type { Loop } from './loop.ts';
import { KONG_VERSION } from '../admin/settings.ts';
import type { NodeSettings } from './settings.ts';
import { EMPTY_HASH, exportSnapshot } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';

/** What a data plane says about itself in a ping. */
export interface Report {
  readonly id: string;
  readonly hostname: string;
  readonly version: string;
  readonly hash: string;
}

/** The control plane's end of a connection to a data plane. */
export interface Client {
  receive(snapshot: Snapshot): void;
}

/** What a data plane may ask of its control plane. */
export interface ControlPlaneLink {
  /** Joins; the present configuration follows. False when the versions do not fit, which closes the connection. */
  connect(client: Client, report: Report): Promise<boolean>;
  disconnect(client: Client): void;
  ping(report: Report): Promise<void>;
}

export interface ControlPlaneOptions {
  readonly pool: pg.Pool;
  readonly nodeId: string;
  readonly settings: NodeSettings;
  readonly log: (line: string) => void;
}

type SyncStatus = 'normal' | 'kong_version_incompatible';

/** A data plane may be older than its control plane by minor versions, never newer. */
function statusOf(version: string): SyncStatus {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [ownMajor = 0, ownMinor = 0] = KONG_VERSION.split('.').map(Number);
  return major === ownMajor && minor <= ownMinor ? 'normal' : 'kong_version_incompatible';
}

/** A hybrid control plane: exports and pushes on writes, records the data planes' pings (sync v1). */
export class ControlPlane implements ControlPlaneLink {
  readonly #options: ControlPlaneOptions;
  readonly #events: ClusterEvents;
  readonly #bell = new Bell();
  readonly #clients = new Set<Client>();
  #payload: Snapshot | undefined;
  #loops: readonly Loop[] = [];

  constructor(options: ControlPlaneOptions) {
    this.#options = options;
    this.#events = new ClusterEvents(options.pool, options.nodeId, [PUSH_CHANNEL]);
  }

  async start(): Promise<void> {
    await this.#events.start();
    const report = (error: unknown): void => this.#options.log(`control plane: ${String(error)}`);
    const frequency = this.#options.settings.dbUpdateFrequencySeconds * 1000;
    this.#loops = [startLoop((signal) => this.#pushLoop(signal), report), every(frequency, () => this.#poll(), report)];
  }

  async stop(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.stop()));
  }

  /** Hears of a write through this node's Admin API. */
  written(): void {
    this.#bell.ring();
  }

  async connect(client: Client, report: Report): Promise<boolean> {
    if (statusOf(report.version) !== 'normal') {
      await this.#record({ ...report, hash: EMPTY_HASH });
      return false;
    }
    this.#clients.add(client);
    // Whoever joins during the pause after a push gets what was pushed last, even when newer writes wait.
    this.#payload ??= await exportSnapshot(this.#options.pool);
    if (this.#clients.has(client)) client.receive(this.#payload);
    return true;
  }

  disconnect(client: Client): void {
    this.#clients.delete(client);
    // Without listeners nothing is exported, so what was kept would grow old unnoticed.
    if (this.#clients.size === 0) this.#payload = undefined;
  }

  ping(report: Report): Promise<void> {
    return this.#record(report);
  }

  /** The first write of a burst goes out at once, all others with one more push after the pause. */
  async #pushLoop(signal: AbortSignal): Promise<void> {
    while (await this.#bell.heard(signal)) {
      if (this.#clients.size === 0) continue;
      try {
        this.#payload = await exportSnapshot(this.#options.pool);
        for (const client of this.#clients) client.receive(this.#payload);
      } catch (error) {
        // As in Kong, a failed export waits for the next write.
        this.#options.log(`control plane: export failed: ${String(error)}`);
      }
      await sleep(this.#options.settings.dbUpdateFrequencySeconds * 1000, signal);
    }
  }

  async #poll(): Promise<void> {
    const events = await this.#events.poll();
    if (events.length > 0) this.#bell.ring();
  }

  async #record(report: Report): Promise<void> {
    await this.#options.pool.query(
      `INSERT INTO clustering_data_planes
         (id, hostname, ip, last_seen, config_hash, ttl, version, sync_status, updated_at, labels, cert_details, rpc_capabilities)
       VALUES ($1, $2, '127.0.0.1', date_trunc('second', now()), $3, now() + make_interval(secs => $4), $5, $6,
               date_trunc('second', now()), '{}', '{}', '{}')
       ON CONFLICT (id) DO UPDATE SET hostname = excluded.hostname, ip = excluded.ip, last_seen = excluded.last_seen,
         config_hash = excluded.config_hash, ttl = excluded.ttl, version = excluded.version,
         sync_status = excluded.sync_status, updated_at = excluded.updated_at`,
      [
        report.id,
        report.hostname,
        report.hash,
        this.#options.settings.dataPlanePurgeDelaySeconds,
        report.version,
        statusOf(report.version),
      ],
    );
  }
}
