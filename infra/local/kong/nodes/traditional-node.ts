import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import type { NodeCache } from '../admin/cache.ts';
import type { ClusterEvent } from '../admin/events.ts';
import type { AdminWrite } from '../admin/server.ts';
import { certificateStore } from '../proxy/certificates.ts';
import type { CertificateStore } from '../proxy/certificates.ts';
import { configurationOf } from '../proxy/configuration.ts';
import type { Configuration } from '../proxy/configuration.ts';
import type { ProxyState } from '../proxy/exchange.ts';
import { indexPlugins } from '../proxy/plugins/scope.ts';
import { balancersOf, proxyStateOf, routerOf } from '../proxy/state.ts';
import { ClusterEvents, INVALIDATION_CHANNELS, TARGETS_CHANNEL, UPSTREAMS_CHANNEL } from './cluster-events.ts';
import { every } from './loop.ts';
import type { Loop } from './loop.ts';
import { rebuildDelay } from './settings.ts';
import type { NodeSettings } from './settings.ts';
import { exportSnapshot } from './snapshot.ts';
import type { StatusFacts } from './status-server.ts';
import { unsupportedPlugins } from './unsupported.ts';

export interface TraditionalNodeOptions {
  readonly name: string;
  readonly id: string;
  readonly pool: pg.Pool;
  readonly settings: NodeSettings;
  readonly log: (line: string) => void;
}

const ROUTER_VERSION = 'router:version';
const PLUGINS_VERSION = 'plugins_iterator:version';

/** First words of cache keys that the workers' rebuilds look after. */
const BUILT = new Set(['router', 'plugins_iterator', 'services', 'routes', 'plugins', 'upstreams', 'targets']);
/** Balancer events begin so; they are no cache keys. */
const OPERATIONS = new Set(['create', 'update', 'delete']);
const CACHED_TABLES = ['consumers', 'keyauth_credentials', 'certificates', 'snis', 'ca_certificates'];

/** One worker: what it serves with, and the versions it was built at. */
interface Worker {
  state: ProxyState;
  router: string;
  plugins: string;
  upstreams: number;
}

/** A read of the whole configuration for workers' rebuilds. */
interface Reading {
  readonly versions: string;
  /** How often targets had been replaced when it began. */
  readonly retargets: number;
  readonly reading: Promise<Configuration>;
}

/** A traditional node without its listeners: reads the database, hears of changes by polling `cluster_events`. */
export class TraditionalNode implements NodeCache {
  readonly name: string;
  readonly id: string;
  readonly #options: TraditionalNodeOptions;
  readonly #tellUnsupported: (configuration: Configuration) => void;
  readonly #events: ClusterEvents;
  readonly #versions = new Map<string, string>();
  #upstreams = 0;
  /** What events said has changed and has not been read yet. */
  #due = { cached: false, targets: false };
  #retargets = 0;
  #latest: Reading | undefined;
  #refreshing: Promise<void> | undefined;
  /** Consumers, credentials and certificates, which are looked up in the cache and not rebuilt. */
  #cached: Configuration = configurationOf({});
  #certificates: CertificateStore = certificateStore(this.#cached);
  #workers: Worker[] = [];
  #loops: readonly Loop[] = [];
  #polling: Loop | undefined;

  constructor(options: TraditionalNodeOptions) {
    this.name = options.name;
    this.id = options.id;
    this.#options = options;
    this.#tellUnsupported = unsupportedPlugins((line) => options.log(`${options.name}: ${line}`));
    const channels = [...INVALIDATION_CHANNELS, UPSTREAMS_CHANNEL, TARGETS_CHANNEL];
    this.#events = new ClusterEvents(options.pool, options.id, channels);
  }

  state(worker: number): ProxyState {
    const own = this.#workers[worker]?.state ?? proxyStateOf(configurationOf({}));
    return { ...own, configuration: this.#cached };
  }

  certificates(): CertificateStore {
    return this.#certificates;
  }

  async facts(): Promise<StatusFacts> {
    const reachable = await this.#options.pool.query('SELECT 1').then(
      () => true,
      () => false,
    );
    return { database: { reachable } };
  }

  unready(): string | undefined {
    return this.#workers.length === 0 ? 'no workers' : undefined;
  }

  /** Reads the database and begins to poll. Throws what the database throws. */
  async start(): Promise<void> {
    if (this.#workers.length > 0) return;
    await this.#events.start();
    const configuration = await this.#read();
    this.#keep(configuration);
    this.#tellUnsupported(configuration);
    const { workers, workerStateUpdateFrequencySeconds: seconds } = this.#options.settings;
    this.#workers = Array.from({ length: workers }, () => this.#built(configuration));
    const tick = seconds * 1000;
    const report = (error: unknown): void => this.#options.log(`${this.name}: ${String(error)}`);
    // Each worker has a timer of its own; their phases are spread so that none is always first.
    this.#loops = this.#workers.map((worker, index) =>
      every(tick, () => this.#rebuild(worker, index), report, (tick * (index + 1)) / workers),
    );
    this.resume();
  }

  async stop(): Promise<void> {
    await this.pause();
    await Promise.all(this.#loops.map((loop) => loop.stop()));
    this.#workers = [];
    this.#versions.clear();
  }

  /** Stops hearing of other nodes' writes; it serves on what it knows. */
  async pause(): Promise<void> {
    const polling = this.#polling;
    this.#polling = undefined;
    await polling?.stop();
  }

  resume(): void {
    if (this.#polling !== undefined) return;
    this.#polling = every(
      this.#options.settings.dbUpdateFrequencySeconds * 1000,
      async () => this.handle(await this.#events.poll()),
      (error) => this.#options.log(`${this.name}: failed to poll: ${String(error)}`),
    );
  }

  /** Takes note of what was written, by another node or through this one's Admin API. */
  async handle(events: readonly ClusterEvent[]): Promise<void> {
    for (const { channel, data } of events) {
      if (channel === UPSTREAMS_CHANNEL) this.#upstreams += 1;
      else if (channel === TARGETS_CHANNEL) this.#due.targets = true;
      else this.#forget(data);
    }
    await this.#refresh();
  }

  peek(key: string): unknown {
    return this.#versions.get(key);
  }

  delete(key: string): void {
    this.#forget(key);
    this.#refreshSoon();
  }

  /** Hears of a write through this node's Admin API; the keys that it outdates come by `delete`. */
  written({ entity }: Pick<AdminWrite, 'entity'>): void {
    if (entity === 'upstreams') this.#upstreams += 1;
    if (entity === 'targets') this.#due.targets = true;
    this.#refreshSoon();
  }

  #refreshSoon(): void {
    this.#refresh().catch((error: unknown) => this.#options.log(`${this.name}: ${String(error)}`));
  }

  #forget(key: string): void {
    this.#versions.delete(key);
    const first = key.replace(/:.*$/s, '');
    if (!BUILT.has(first) && !OPERATIONS.has(first)) this.#due.cached = true;
  }

  /** Reads anew what is due, one read at a time however many events come in. A failed one stays due. */
  async #refresh(): Promise<void> {
    if (this.#due.cached || this.#due.targets) this.#refreshing ??= this.#readDue();
    await this.#refreshing;
  }

  async #readDue(): Promise<void> {
    try {
      while (this.#due.cached || this.#due.targets) await this.#readOnce();
    } finally {
      // In the same turn as the last look at what is due, so that nothing can become due unseen.
      this.#refreshing = undefined;
    }
  }

  async #readOnce(): Promise<void> {
    const due = this.#due;
    this.#due = { cached: false, targets: false };
    try {
      if (due.cached) this.#keep(await this.#read(CACHED_TABLES));
      if (due.targets) this.#retarget(await this.#read(['upstreams', 'targets']));
    } catch (error) {
      this.#due = { cached: this.#due.cached || due.cached, targets: this.#due.targets || due.targets };
      throw error;
    }
  }

  async #read(tables?: readonly string[]): Promise<Configuration> {
    return configurationOf((await exportSnapshot(this.#options.pool, tables)).tables);
  }

  /** The whole configuration, read once for all workers that rebuild at the same versions. */
  #readAt(versions: string): Reading {
    if (this.#latest?.versions === versions) return this.#latest;
    const made = { versions, retargets: this.#retargets, reading: this.#read() };
    this.#latest = made;
    // A read that failed must not be remembered.
    made.reading.catch(() => (this.#latest = undefined));
    return made;
  }

  /** Targets take effect at once; an upstream that a worker does not know yet waits for the worker's next look. */
  #retarget({ upstreams }: Configuration): void {
    this.#retargets += 1;
    for (const worker of this.#workers) {
      const known = [...upstreams].filter(([name]) => worker.state.balancers.has(name));
      worker.state = { ...worker.state, balancers: balancersOf(new Map(known)) };
    }
  }

  #keep(configuration: Configuration): void {
    this.#cached = configuration;
    this.#certificates = certificateStore(configuration);
  }

  #version(key: string): string {
    const known = this.#versions.get(key);
    if (known !== undefined) return known;
    const made = randomUUID();
    this.#versions.set(key, made);
    return made;
  }

  #built(configuration: Configuration): Worker {
    return {
      state: proxyStateOf(configuration, this.#onInvalid),
      router: this.#version(ROUTER_VERSION),
      plugins: this.#version(PLUGINS_VERSION),
      upstreams: this.#upstreams,
    };
  }

  /** A worker's timer: rebuilds what is outdated. A failure leaves the old state and is tried again. */
  async #rebuild(worker: Worker, index: number): Promise<void> {
    const router = this.#version(ROUTER_VERSION);
    const plugins = this.#version(PLUGINS_VERSION);
    const upstreams = this.#upstreams;
    if (worker.router === router && worker.plugins === plugins && worker.upstreams === upstreams) return;
    const { retargets, reading } = this.#readAt([router, plugins, upstreams].join(' '));
    const configuration = await reading;
    this.#tellUnsupported(configuration);
    await delay(rebuildDelay(this.#options.settings, index));
    const { state } = worker;
    worker.state = {
      ...state,
      router: worker.router === router ? state.router : routerOf(configuration, this.#onInvalid),
      plugins: worker.plugins === plugins ? state.plugins : indexPlugins(configuration.plugins),
      balancers: worker.upstreams === upstreams ? state.balancers : balancersOf(configuration.upstreams),
    };
    Object.assign(worker, { router, plugins, upstreams });
    if (retargets === this.#retargets) return;
    // Targets that came since the database was read have just been undone.
    this.#due.targets = true;
    await this.#refresh();
  }

  readonly #onInvalid = (route: { readonly id: string }, reason: string): void =>
    this.#options.log(`${this.name}: could not add route ${route.id}: ${reason}`);
}
