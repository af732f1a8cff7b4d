import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import type { KubernetesObject } from '@kubernetes/client-node';
import { parseAllDocuments } from 'yaml';
import { connectCluster, type Cluster } from '../../infra/local/demo/cluster.ts';
import { startKubernetes } from '../../infra/local/kubernetes/index.ts';
import type { Converged } from '../../shared/convergence/converge.ts';
import type { ChangeEvent } from '../../shared/events.ts';
import type { Queryable } from '../../shared/index/database.ts';
import { isRecord, type JsonRecord } from '../../shared/json.ts';
import { kubernetesClient, type KubernetesClient } from '../../shared/kubernetes/client.ts';
import { isKind, KINDS } from '../../shared/kubernetes/kinds.ts';
import { loadKubeconfig } from '../../shared/kubernetes/kubeconfig.ts';
import { statusReporter, type StatusReporter } from '../../shared/report/statuses.ts';
import { prepareIndex, runSlice, type SliceDependencies, type SliceResult } from '../../shared/slice.ts';
import type { StatusConfig } from '../../shared/status/config.ts';
import { controlPlane, OPTIONS, type ControlPlane } from '../support/control-plane.ts';
import { temporaryPostgres, type TemporaryPostgres } from '../support/postgres.ts';

export const CONTROLLER = OPTIONS.gatewayController;

export const CONFIG: StatusConfig = {
  enabled: true,
  controller: CONTROLLER,
  service: 'kong/kong-proxy',
  udpService: undefined,
  addresses: [],
  udpAddresses: [],
};

const QUIET = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Everything that `shared/report` says of a convergence needs. */
const EVIDENCE = {
  node: 'a',
  name: 'dp-a',
  state: 'converged',
  revision: '1',
  evidence: 'agreement',
  proof: 'stored',
  marginMs: 500,
  sinceWriteMs: 1,
  reason: '',
} as const;

/** A cluster, real where KUBECONFIG names one, and a Kong, with slices and status reports between them. */
export interface StatusLab {
  readonly cluster: Cluster;
  readonly kubernetes: KubernetesClient;
  readonly plane: ControlPlane;
  readonly dependencies: SliceDependencies;
  readonly reporter: StatusReporter;
  /** Statuses that were written so far. */
  readonly patches: string[];
  /** Warnings of the reporter. */
  readonly warnings: unknown[];
  /** Applies manifests, and lets a slice and its report follow. */
  apply(yaml: string): Promise<SliceResult>;
  /** Deletes objects, `Kind/namespace/name`, likewise. */
  remove(...keys: readonly string[]): Promise<SliceResult>;
  /** Lets a slice and its report follow changes of these objects. */
  changed(operation: ChangeEvent['operation'], ...keys: readonly string[]): Promise<SliceResult>;
  /** All that was written is proven on every data plane. */
  converge(): Promise<void>;
  /** The status of an object, `Kind/namespace/name`. */
  status(key: string): Promise<JsonRecord>;
  /** Deletes all that was applied and is still there. */
  clear(): Promise<void>;
}

export interface LabSettings {
  readonly config?: Partial<StatusConfig>;
  readonly featureGates?: Readonly<Record<string, boolean>>;
}

export type Manifest = KubernetesObject & {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
};

/** The objects of a text of several documents; empty documents are none. */
export function manifestsOf(yaml: string): readonly Manifest[] {
  return parseAllDocuments(yaml)
    .map((document): Manifest | null => document.toJS())
    .filter((object) => object !== null);
}

interface Access {
  readonly kubeconfig: string;
  readonly kubernetes: KubernetesClient;
}

function split(key: string): readonly [kind: string, namespace: string, name: string] {
  const [kind = '', namespace = '', name = ''] = key.split('/');
  return [kind, namespace, name];
}

function eventOf(key: string, operation: ChangeEvent['operation']): ChangeEvent {
  const [kind, namespace, name] = split(key);
  if (!isKind(kind)) throw new Error(`no kind ${kind}`);
  const { group, version } = KINDS[kind];
  const ref = { cluster: OPTIONS.cluster, group, version, kind, namespace, name };
  return { ref, operation, observedAt: '2026-01-01T00:00:00Z' };
}

/** What converge says when all that was written is proven on every data plane; the index is told too. */
export async function convergedOf(index: Queryable): Promise<Converged> {
  const { rows } = await index.query<{ id: string }>(
    'UPDATE kong_ingress.revisions SET converged_at = now() WHERE converged_at IS NULL RETURNING id::text AS id',
  );
  const converged = rows.map((row) => row.id);
  return {
    topology: 'hybrid',
    verdicts: [EVIDENCE],
    newest: undefined,
    warnings: [],
    converged,
    proven: converged.at(-1),
  };
}

async function makeLab(
  { kubeconfig, kubernetes }: Access,
  plane: ControlPlane,
  settings: LabSettings,
): Promise<StatusLab> {
  const patches: string[] = [];
  const warnings: unknown[] = [];
  const counted: Pick<KubernetesClient, 'get' | 'patchStatus'> = {
    get: (kind, namespace, name) => kubernetes.get(kind, namespace, name),
    patchStatus: async (patch) => {
      const result = await kubernetes.patchStatus(patch);
      if (result.outcome === 'written') patches.push(`${patch.kind}/${patch.namespace}/${patch.name}`);
      return result;
    },
  };
  const options = { ...OPTIONS, featureGates: settings.featureGates ?? {} };
  const dependencies = { ...plane.dependencies, kubernetes, options };
  await prepareIndex(plane.pool);
  const config = { ...CONFIG, ...settings.config };
  const reporter = statusReporter({ index: plane.pool, kubernetes: counted, config });
  const logger = { ...QUIET, warn: (...parts: readonly unknown[]) => void warnings.push(parts) };
  const cluster = connectCluster(kubeconfig);
  const applied = new Map<string, KubernetesObject>();
  const lab: StatusLab = {
    cluster,
    kubernetes,
    plane,
    dependencies,
    reporter,
    patches,
    warnings,
    async changed(operation, ...keys) {
      const result = await runSlice({ changes: keys.map((key) => eventOf(key, operation)) }, dependencies);
      await reporter.tell([result], logger);
      return result;
    },
    async apply(yaml) {
      const objects = manifestsOf(yaml);
      for (const object of objects)
        applied.set(`${object.kind}/${object.metadata.namespace}/${object.metadata.name}`, object);
      await cluster.apply(...objects);
      const keys = objects.map(({ kind, metadata }) => `${kind}/${metadata.namespace ?? ''}/${metadata.name}`);
      return lab.changed('update', ...keys.filter((key) => isKind(split(key)[0])));
    },
    async remove(...keys) {
      for (const key of keys) {
        const { ref } = eventOf(key, 'delete');
        const apiVersion = ref.group === '' ? ref.version : `${ref.group}/${ref.version}`;
        await cluster.remove({ apiVersion, kind: ref.kind, metadata: { name: ref.name, namespace: ref.namespace } });
      }
      return lab.changed('delete', ...keys);
    },
    async clear() {
      // What is gone already is as it should be.
      for (const object of [...applied.values()].toReversed()) await cluster.remove(object).catch(() => undefined);
      applied.clear();
    },
    async converge() {
      await reporter.converged(await convergedOf(plane.pool), logger);
    },
    async status(key) {
      const [kind, namespace, name] = split(key);
      if (!isKind(kind)) throw new Error(`no kind ${kind}`);
      const object: object | undefined = await kubernetes.get(kind, namespace, name);
      if (object === undefined) throw new Error(`no ${key}`);
      return 'status' in object && isRecord(object.status) ? object.status : {};
    },
  };
  return lab;
}

/** What the labs of a test file share. */
interface Ground extends Access {
  readonly server: TemporaryPostgres;
  stop(): Promise<void>;
}

async function startGround(): Promise<Ground> {
  const directory = await mkdtemp(path.join(tmpdir(), 'statuses-'));
  await chmod(directory, 0o755);
  const real = process.env['KUBECONFIG'] ?? '';
  const standIn = real === '' ? await startKubernetes({ directory }) : undefined;
  const kubeconfig = standIn?.kubeconfig ?? real;
  const kubernetes = kubernetesClient(await loadKubeconfig(kubeconfig, OPTIONS.cluster));
  const server = await temporaryPostgres();
  return {
    kubeconfig,
    kubernetes,
    server,
    stop: async () => {
      kubernetes.close();
      await standIn?.stop();
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** For a test file: a PostgreSQL and an API server while it runs; each lab has an empty Kong of its own. */
export function useStatusLabs(): (settings?: LabSettings) => Promise<StatusLab> {
  let started: Promise<Ground> | undefined;
  const labs: StatusLab[] = [];
  after(async () => {
    for (const lab of labs) await lab.clear();
    for (const { plane } of labs) await plane.stop();
    await (await started)?.stop();
  });
  return async (settings = {}) => {
    started ??= startGround();
    const ground = await started;
    const lab = await makeLab(ground, await controlPlane(ground.server, `statuses_${labs.length}`), settings);
    labs.push(lab);
    return lab;
  };
}

function listOf(value: unknown): readonly JsonRecord[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

/** Conditions as `Type=Status/Reason`, in order. */
export function conditionsOf(value: unknown): readonly string[] {
  const conditions = isRecord(value) ? value['conditions'] : undefined;
  return listOf(conditions).map(
    (item) => `${String(item['type'])}=${String(item['status'])}/${String(item['reason'])}`,
  );
}

/** Conditions of the entries of ours in a list of a status. */
export function entriesOf(status: JsonRecord, field: string): readonly (readonly string[])[] {
  return listOf(status[field])
    .filter((item) => item['controllerName'] === CONTROLLER)
    .map(conditionsOf);
}

/** A Gateway's listener. */
export function listenerOf(status: JsonRecord, name: string): JsonRecord {
  const listener = listOf(status['listeners']).find((item) => item['name'] === name);
  if (listener === undefined) throw new Error(`no listener ${name}`);
  return listener;
}
