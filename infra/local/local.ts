import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { startKong } from './kong/index.ts';
import { startKubernetes } from './kubernetes/index.ts';
import { startPostgres } from './postgres.ts';
import { interrupted } from './until-interrupted.ts';

const USAGE = `usage: npm run local -- kong [--topology hybrid|traditional] [--admin-port N] [--directory DIR]
       npm run local -- kubernetes [--port N] [--directory DIR]
Starts one stand-in alone, prints its addresses as one line of JSON, and stops at Ctrl-C.
Data is kept in DIR, or thrown away without one.`;

/** A running stand-in: what to print, and how to end it. */
interface Running {
  readonly addresses: object;
  stop(): Promise<void>;
}

class UsageError extends Error {}

function port(value: string | undefined): number {
  const parsed = Number(value ?? '0');
  if (!Number.isInteger(parsed) || parsed < 0 || parsed > 65_535) throw new UsageError(`${value} is not a port`);
  return parsed;
}

async function kong(directory: string, topology: string, adminPort: number): Promise<Running> {
  if (topology !== 'hybrid' && topology !== 'traditional') throw new UsageError(`${topology} is not a topology`);
  const postgres = await startPostgres({ directory: path.join(directory, 'postgres') });
  try {
    const standIn = await startKong({ databaseUrl: postgres.url, topology, adminPort });
    const { adminUrl, adminUrls } = standIn;
    const nodes = standIn.nodes.map(({ name, proxyUrl, proxyTlsUrl, statusUrl }) => ({
      name,
      proxyUrl,
      proxyTlsUrl,
      ...(statusUrl === undefined ? {} : { statusUrl }),
    }));
    return {
      addresses: { standIn: 'kong', topology, adminUrl, adminUrls, databaseUrl: postgres.url, nodes },
      stop: async () => {
        await standIn.stop();
        await postgres.stop();
      },
    };
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

async function kubernetes(directory: string, ownPort: number): Promise<Running> {
  const standIn = await startKubernetes({ directory: path.join(directory, 'kubernetes'), port: ownPort });
  return {
    addresses: { standIn: 'kubernetes', url: standIn.url, kubeconfig: standIn.kubeconfig },
    stop: () => standIn.stop(),
  };
}

async function start(directory: string, argv: readonly string[]): Promise<Running> {
  const { positionals, values } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      topology: { type: 'string', default: 'hybrid' },
      'admin-port': { type: 'string' },
      port: { type: 'string' },
      directory: { type: 'string' },
    },
  });
  if (positionals[0] === 'kong') return kong(directory, values.topology, port(values['admin-port']));
  if (positionals[0] === 'kubernetes') return kubernetes(directory, port(values.port));
  throw new UsageError('say which stand-in: kong or kubernetes');
}

function givenDirectory(argv: readonly string[]): string | undefined {
  const at = argv.indexOf('--directory');
  const value = at < 0 ? undefined : argv[at + 1];
  return value === undefined ? undefined : path.resolve(value);
}

async function main(argv: readonly string[]): Promise<void> {
  const given = givenDirectory(argv);
  const directory = given ?? (await mkdtemp(path.join(os.tmpdir(), 'kong-ingress-')));
  try {
    // PostgreSQL runs as an unprivileged user where this one is root, and must be able to enter.
    if (given === undefined) await chmod(directory, 0o755);
    const running = await start(directory, argv);
    process.stdout.write(`${JSON.stringify(running.addresses)}\n`);
    await interrupted();
    await running.stop();
  } finally {
    if (given === undefined) await rm(directory, { recursive: true, force: true });
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  const usage =
    error instanceof UsageError ||
    (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage ? `${USAGE}\n` : ''}`);
  process.exitCode = usage ? 2 : 1;
}
