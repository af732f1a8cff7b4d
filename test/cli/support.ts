import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { connectCluster, type Cluster } from '../../infra/local/demo/cluster.ts';
import { startStack, type Stack, type Topology } from '../../infra/local/stack.ts';
import { isRecord, type JsonRecord } from '../../shared/json.ts';

const ROOT = path.join(import.meta.dirname, '../..');

/** What a command printed and how it ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Compiled code of earlier processes, where the test run keeps it: a command starts in half the time. */
const CACHE = Object.fromEntries(Object.entries(process.env).filter(([name]) => name === 'NODE_COMPILE_CACHE'));

/** Runs `kong-ingress` with nothing but these variables. */
export function kongIngress(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const options = { cwd: ROOT, env: { ...CACHE, ...env } };
  return new Promise((resolve) => {
    execFile(process.execPath, ['functions/cli.ts', ...args], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
  });
}

/** The stack, and commands that are connected to it. */
export interface CliLab {
  readonly stack: Stack;
  readonly cluster: Cluster;
  /** On Kong's database. */
  readonly pool: pg.Pool;
  readonly env: Readonly<Record<string, string>>;
  run(...args: readonly string[]): Promise<Ended>;
  /** The same with `--json`: its exit code and the parsed line. */
  json(...args: readonly string[]): Promise<{ readonly code: number; readonly value: JsonRecord }>;
  start(...args: readonly string[]): ChildProcess;
  stop(): Promise<void>;
}

/** Starts the stack with nothing in it; no event reaches a function, so that commands do all the work. */
export async function startCliLab(topology: Topology): Promise<CliLab> {
  const directory = await mkdtemp(path.join(tmpdir(), 'kong-ingress-cli-'));
  // PostgreSQL runs as an unprivileged user where this one is root, and must be able to enter.
  await chmod(directory, 0o755);
  const stack = await startStack({ topology, directory, environment: {}, schedules: false, log: () => undefined });
  stack.cloud.dropNextEvents(Number.MAX_SAFE_INTEGER);
  const pool = new pg.Pool({ connectionString: stack.kong.databaseUrl, max: 2 });
  const env = {
    KONG_ADMIN_URL: stack.kong.adminUrls.join(),
    KONG_DATABASE_URL: stack.kong.databaseUrl,
    KONG_CONTROL_PLANES: '1',
    KUBECONFIG: stack.kubeconfig,
    CLUSTER_NAME: 'local',
  };
  return {
    stack,
    cluster: connectCluster(stack.kubeconfig),
    pool,
    env,
    run: (...args) => kongIngress(args, env),
    json: async (...args) => {
      const { code, stdout, stderr } = await kongIngress([...args, '--json'], env);
      assert.equal(stderr, '');
      const value: unknown = JSON.parse(stdout);
      assert.ok(isRecord(value));
      return { code, value };
    },
    start: (...args) =>
      spawn(process.execPath, ['functions/cli.ts', ...args], { cwd: ROOT, env: { ...CACHE, ...env } }),
    stop: async () => {
      await pool.end();
      await stack.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Every row of Kong's entities that can be written here, and of the index, with its xmin: whatever writes changes it. */
export async function fingerprint(pool: pg.Pool): Promise<string> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
     WHERE schemaname LIKE 'kong\\_ingress%' OR tablename IN ('services', 'routes', 'upstreams', 'targets', 'certificates',
       'snis', 'plugins', 'consumers', 'keyauth_credentials', 'cluster_events') ORDER BY 1`,
  );
  const parts: string[] = [];
  for (const { name } of tables) {
    const { rows } = await pool.query<{ row: string }>(
      `SELECT xmin::text || ctid::text AS row FROM ${name} ORDER BY 1`,
    );
    parts.push(`${name} ${rows.map(({ row }) => row).join(' ')}`);
  }
  return parts.join('\n');
}
