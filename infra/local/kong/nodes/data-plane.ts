import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { certificateStore } from '../proxy/certificates.ts';
import type { CertificateStore } from '../proxy/certificates.ts';
import { configurationOf } from '../proxy/configuration.ts';
import type { Configuration } from '../proxy/configuration.ts';
import type { ProxyState } from '../proxy/exchange.ts';
import { proxyStateOf } from '../proxy/state.ts';
import type { Client, ControlPlaneLink, Report } from './control-plane.ts';
import { sleep, startLoop } from './loop.ts';
import type { Loop } from './loop.ts';
import { KONG_VERSION } from '../admin/settings.ts';
import { rebuildDelay } from './settings.ts';
import type { NodeSettings } from './settings.ts';
import { configurationIn, EMPTY_HASH } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';
import type { StatusFacts } from './status-server.ts';
import { unsupportedPlugins } from './unsupported.ts';

export interface DataPlaneOptions {
  readonly name: string;
  /** Kong's node id; a new one unless given. */
  readonly id?: string;
  readonly controlPlane: ControlPlaneLink;
  readonly settings: NodeSettings;
  readonly log: (line: string) => void;
}

const NOTHING = configurationOf({});

/** A hybrid data plane without its listeners: stores what is pushed, lets each worker rebuild in its time, pings. */
export class DataPlane implements Client {
  readonly name: string;
  /** Time until a pushed configuration is stored, ms. */
  applyDelayMs: number;
  /** True makes it fail to store what is pushed, which nobody is told, as in Kong. */
  refusing = false;
  version = KONG_VERSION;
  readonly #options: DataPlaneOptions;
  readonly #tellUnsupported: (configuration: Configuration) => void;
  #id: string;
  #hash = EMPTY_HASH;
  #stored: Configuration = NOTHING;
  #certificates: CertificateStore = certificateStore(NOTHING);
  #workers: ProxyState[] = [];
  /** The newest frame not looked at; older ones that waited are forgotten. */
  #waiting: Snapshot | undefined;
  #applying = false;
  #news = false;
  #running = false;
  #connection: Loop | undefined;
  readonly #rebuilds = new Set<NodeJS.Timeout>();

  constructor(options: DataPlaneOptions) {
    this.name = options.name;
    this.applyDelayMs = options.settings.applyDelayMs;
    this.#options = options;
    this.#id = options.id ?? randomUUID();
    this.#tellUnsupported = unsupportedPlugins((line) => options.log(`${options.name}: ${line}`));
  }

  get id(): string {
    return this.#id;
  }

  /** Hash of the stored configuration, which a worker may not serve yet. */
  get hash(): string {
    return this.#hash;
  }

  /** What a worker serves with: its own router, plugins and balancers, and the stored consumers and certificates. */
  state(worker: number): ProxyState {
    const own = this.#workers[worker] ?? proxyStateOf(NOTHING);
    return { ...own, configuration: this.#stored };
  }

  certificates(): CertificateStore {
    return this.#certificates;
  }

  async facts(): Promise<StatusFacts> {
    return { configuration_hash: this.#hash };
  }

  /** Why it is not ready to serve; undefined when it is. */
  unready(): string | undefined {
    return this.#hash === EMPTY_HASH ? 'no configuration available (empty configuration present)' : undefined;
  }

  /** Begins to serve what it stored earlier and connects. `fresh` forgets that and takes another node id. */
  start(fresh = false): void {
    if (this.#running) return;
    this.#running = true;
    if (fresh) {
      this.#id = randomUUID();
      this.#hash = EMPTY_HASH;
      this.#stored = NOTHING;
    }
    this.#certificates = certificateStore(this.#stored);
    this.#workers = Array.from({ length: this.#options.settings.workers }, () => this.#build());
    this.resume();
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#waiting = undefined;
    for (const timer of this.#rebuilds) clearTimeout(timer);
    this.#rebuilds.clear();
    await this.pause();
  }

  /** Cuts it off from the control plane: it serves on, hears nothing and does not ping. */
  async pause(): Promise<void> {
    this.#options.controlPlane.disconnect(this);
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.stop();
    // A connection that was being made when the loop ended; unless it has been told to join again meanwhile.
    if (this.#connection === undefined) this.#options.controlPlane.disconnect(this);
  }

  resume(): void {
    if (!this.#running || this.#connection !== undefined) return;
    this.#connection = startLoop(
      (signal) => this.#connect(signal),
      (error) => this.#options.log(`${this.name}: ${String(error)}`),
    );
  }

  receive(snapshot: Snapshot): void {
    this.#waiting = snapshot;
    if (!this.#applying) void this.#apply();
  }

  async #connect(signal: AbortSignal): Promise<void> {
    do {
      try {
        if (await this.#options.controlPlane.connect(this, this.#report())) await this.#stayConnected(signal);
      } catch (error) {
        this.#options.log(`${this.name}: connection lost: ${String(error)}`);
        this.#options.controlPlane.disconnect(this);
      }
    } while (await sleep(this.#options.settings.reconnectSeconds * 1000, signal));
  }

  /** Pings at once, then soon after each stored configuration, and every `pingSeconds` without one. */
  async #stayConnected(signal: AbortSignal): Promise<void> {
    const { pingSeconds, pingTickMs } = this.#options.settings;
    let silent = Number.POSITIVE_INFINITY;
    for (; !signal.aborted; await sleep(pingTickMs, signal)) {
      if (!this.#news && silent < pingSeconds * 1000) {
        silent += pingTickMs;
        continue;
      }
      this.#news = false;
      silent = 0;
      await this.#options.controlPlane
        .ping(this.#report())
        .catch((error: unknown) => this.#options.log(`${this.name}: ping not recorded: ${String(error)}`));
    }
  }

  #report(): Report {
    return { id: this.#id, hostname: this.name, version: this.version, hash: this.#hash };
  }

  async #apply(): Promise<void> {
    this.#applying = true;
    for (let next = this.#take(); next !== undefined; next = this.#take()) {
      await delay(this.applyDelayMs);
      if (this.#running) this.#store(next);
    }
    this.#applying = false;
  }

  #take(): Snapshot | undefined {
    const next = this.#waiting;
    this.#waiting = undefined;
    return next;
  }

  #store(snapshot: Snapshot): void {
    if (this.refusing) {
      this.#options.log(`${this.name}: unable to update running config`);
      return;
    }
    this.#news = true;
    if (snapshot.hash === this.#hash) return;
    this.#hash = snapshot.hash;
    this.#stored = configurationIn(snapshot);
    this.#certificates = certificateStore(this.#stored);
    this.#tellUnsupported(this.#stored);
    for (let worker = 0; worker < this.#options.settings.workers; worker += 1) this.#rebuildLater(worker);
  }

  #rebuildLater(worker: number): void {
    const timer = setTimeout(
      () => {
        this.#rebuilds.delete(timer);
        this.#workers[worker] = this.#build();
      },
      rebuildDelay(this.#options.settings, worker),
    );
    this.#rebuilds.add(timer);
  }

  #build(): ProxyState {
    return proxyStateOf(this.#stored, (route, reason) =>
      this.#options.log(`${this.name}: could not add route ${route.id}: ${reason}`),
    );
  }
}
