import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { connectCluster, type Cluster } from '../../infra/local/demo/cluster.ts';
import { startKubernetes, type KubernetesStandIn } from '../../infra/local/kubernetes/index.ts';
import type { ChangeEvent } from '../../shared/events.ts';
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

const CONFIG: StatusConfig = {
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
  /** PATCH requests to statuses so far. */
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
}

export interface LabSettings {
  readonly config?: Partial<StatusConfig>;
  readonly featureGates?: Readonly<Record<string, boolean>>;
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

async function makeLab(
  { kubeconfig, kubernetes }: Access,
  plane: ControlPlane,
  settings: LabSettings,
): Promise<StatusLab> {
  const patches: string[] = [];
  const warnings: unknown[] = [];
  const counted: Pick<KubernetesClient, 'get' | 'patchStatus'> = {
    get: (kind, namespace, name) => kubernetes.get(kind, namespace, name),
    patchStatus: (patch) => {
      patches.push(`${patch.kind}/${patch.namespace}/${patch.name}`);
      return kubernetes.patchStatus(patch);
    },
  };
  const options = { ...OPTIONS, featureGates: settings.featureGates ?? {} };
  const dependencies = { ...plane.dependencies, kubernetes, options };
  await prepareIndex(plane.pool);
  const config = { ...CONFIG, ...settings.config };
  const reporter = statusReporter({ index: plane.pool, kubernetes: counted, config });
  const logger = { ...QUIET, warn: (...parts: readonly unknown[]) => void warnings.push(parts) };
  const cluster = connectCluster(kubeconfig);
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
      const objects = parseAllDocuments(yaml).map((document) => document.toJS());
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
    async converge() {
      const { rows } = await plane.pool.query<{ id: string }>(
        `UPDATE kong_ingress.revisions SET converged_at = now() WHERE converged_at IS NULL RETURNING id::text AS id`,
      );
      const converged = rows.map((row) => row.id);
      const proven = converged.at(-1);
      const result = { topology: 'hybrid' as const, verdicts: [EVIDENCE], newest: undefined, converged, proven };
      await reporter.converged(result, logger);
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

/** For a test file: a PostgreSQL and an API server while it runs; each lab has an empty Kong of its own. */
export function useStatusLabs(): (settings?: LabSettings) => Promise<StatusLab> {
  let server: TemporaryPostgres | undefined;
  let standIn: KubernetesStandIn | undefined;
  let access: Access | undefined;
  let directory = '';
  const planes: ControlPlane[] = [];
  before(async () => {
    server = await temporaryPostgres();
    directory = await mkdtemp(path.join(tmpdir(), 'statuses-'));
    await chmod(directory, 0o755);
    const real = process.env['KUBECONFIG'];
    if (real === undefined || real === '') standIn = await startKubernetes({ directory });
    const kubeconfig = standIn?.kubeconfig ?? real ?? '';
    access = { kubeconfig, kubernetes: kubernetesClient(await loadKubeconfig(kubeconfig, OPTIONS.cluster)) };
  });
  after(async () => {
    for (const plane of planes) await plane.stop();
    access?.kubernetes.close();
    await standIn?.stop();
    await server?.stop();
    await rm(directory, { recursive: true, force: true });
  });
  return async (settings = {}) => {
    if (server === undefined || access === undefined) throw new Error('no test runs yet');
    const plane = await controlPlane(server, `statuses_${planes.length}`);
    planes.push(plane);
    return makeLab(access, plane, settings);
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
