import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, chown, lstat, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { AppError } from '../../shared/errors.ts';
import { accountFor, isOpenToAll, standInDirectory } from './postgres/account.ts';
import type { Account } from './postgres/account.ts';
import { binaries } from './postgres/binaries.ts';
import { stopLeftover } from './postgres/leftover.ts';

export interface PostgresOptions {
  /** Where data, password and log are kept; made when missing. */
  readonly directory: string;
  /** A free one unless given. */
  readonly port?: number;
}

export interface Postgres {
  /** DSN of the superuser `kong` on database `postgres`. */
  readonly url: string;
  readonly port: number;
  /** Ends the server, data stays. May be called twice. */
  stop(): Promise<void>;
}

const USER = 'kong';
const READY_MS = 60_000;
const STOP_MS = 10_000;

/** No durability is needed locally, and durability is what makes PostgreSQL slow to start and to write. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '200',
  shared_buffers: '64MB',
  jit: 'off',
  timezone: 'UTC',
};

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new AppError('POSTGRES_FAILED', 'no free port');
  return address.port;
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}

function identity(account: Account): { uid?: number; gid?: number } {
  return account.drop ? { uid: account.uid, gid: account.gid } : {};
}

/** The password is made once; without one any user of the machine could run programs through the superuser. */
async function passwordOf(file: string, account: Account): Promise<string> {
  const kept = await readFile(file, 'utf8').catch(() => '');
  if (kept !== '') return kept.trim();
  const password = randomBytes(18).toString('base64url');
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  if (account.drop) await chown(file, account.uid, account.gid);
  return password;
}

/** Makes the cluster beside its place and renames it, so that one which was cut short is never used. */
async function initialise(initdb: string, data: string, passwordFile: string, account: Account): Promise<void> {
  const fresh = `${data}.new`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh);
  // Not as a mode of mkdir: with `recursive` it would close the parents too.
  await chmod(fresh, 0o700);
  if (account.drop) await chown(fresh, account.uid, account.gid);
  const options = ['-D', fresh, '-U', USER, '-E', 'UTF8', '--locale=C', '-A', 'scram-sha-256', '--no-sync'];
  await promisify(execFile)(initdb, [...options, '--no-instructions', `--pwfile=${passwordFile}`], {
    cwd: '/',
    env: { LC_ALL: 'C', TZ: 'UTC' },
    ...identity(account),
  }).catch((error: unknown) => {
    const detail = error instanceof Error ? error.message : String(error);
    throw new AppError('POSTGRES_FAILED', `initdb failed: ${detail}`, { cause: error });
  });
  await rename(fresh, data);
}

/** Waits until the server's own pid file says "ready" (its eighth line) or the server has ended. */
async function becomesReady(child: ChildProcess, data: string): Promise<boolean> {
  const deadline = Date.now() + READY_MS;
  while (child.exitCode === null && child.signalCode === null && Date.now() < deadline) {
    const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
    if (lines[0] === String(child.pid) && lines[7]?.trim() === 'ready') return true;
    await delay(10);
  }
  return false;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGINT');
  const forced = setTimeout(() => child.kill('SIGQUIT'), STOP_MS);
  await ended;
  clearTimeout(forced);
}

type Server = Omit<Postgres, 'url'>;

/** Ends the server when this process is gone, however it went: the pipe then closes. Gives what calls that off. */
function guard(pid: number, account: Account): () => void {
  const script = 'read -r _; kill -INT "$0"';
  const watcher = spawn('/bin/sh', ['-c', script, String(pid)], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    ...identity(account),
  });
  // Without a shell the server of a killed process stays until the next start.
  watcher.on('error', () => undefined);
  return () => void watcher.kill('SIGKILL');
}

async function launch(postgres: string, data: string, port: number, account: Account, log: string): Promise<Server> {
  const output = await open(log, 'w', 0o600);
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(postgres, ['-D', data, '-p', String(port), ...settings], {
    cwd: '/',
    env: { LC_ALL: 'C', TZ: 'UTC' },
    // Its own process group: Ctrl-C is for the stack, which then stops the server in order.
    detached: true,
    stdio: ['ignore', output.fd, output.fd],
    ...identity(account),
  });
  child.on('error', () => undefined);
  await output.close();
  const callOff = child.pid === undefined ? undefined : guard(child.pid, account);
  const stop = async (): Promise<void> => {
    await end(child);
    callOff?.();
  };
  if (callOff !== undefined && (await becomesReady(child, data))) return { port, stop };
  if (callOff !== undefined) await stop();
  const tail = (await readFile(log, 'utf8')).trim().split('\n').slice(-5).join(' | ');
  throw new AppError('POSTGRES_FAILED', `PostgreSQL did not start on port ${port}: ${tail}`);
}

async function launchOnFreePort(
  postgres: string,
  data: string,
  port: number | undefined,
  account: Account,
  log: string,
): Promise<Server> {
  if (port !== undefined) return launch(postgres, data, port, account, log);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await launch(postgres, data, await freePort(), account, log);
    } catch (error) {
      // Somebody else may take the port between our look and PostgreSQL's bind.
      const taken = error instanceof AppError && error.message.includes('Address already in use');
      if (!taken || attempt === 5) throw error;
    }
  }
}

/**
 * Starts PostgreSQL on 127.0.0.1 from the binaries of an npm package, with data in `directory` (below the system's
 * temporary directory when this process is root and PostgreSQL's account cannot enter it). A restart keeps data and
 * password. Throws POSTGRES_UNAVAILABLE, POSTGRES_FAILED, LOCAL_DIRECTORY_IN_USE, LOCAL_DIRECTORY_UNUSABLE.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const wanted = resolve(options.directory);
  await mkdir(wanted, { recursive: true });
  const root = process.getuid?.() === 0;
  const directory = !root || (await isOpenToAll(wanted)) ? wanted : await standInDirectory(wanted);
  const data = join(directory, 'data');
  const account = await accountFor(data);
  const programs = await binaries(account);
  const ownerFile = join(directory, 'owner.pid');
  await stopLeftover(data, ownerFile);
  const passwordFile = join(directory, 'password');
  if (!(await exists(data))) await rm(passwordFile, { force: true });
  const password = await passwordOf(passwordFile, account);
  if (!(await exists(data))) await initialise(programs.initdb, data, passwordFile, account);
  await writeFile(ownerFile, `${process.pid}\n`);
  const log = join(directory, 'postgres.log');
  const server = await launchOnFreePort(programs.postgres, data, options.port, account, log);
  return { ...server, url: `postgres://${USER}:${password}@127.0.0.1:${server.port}/postgres` };
}
