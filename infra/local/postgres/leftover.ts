import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { AppError } from '../../../shared/errors.ts';

interface RunningProcess {
  readonly parent: number;
  readonly command: string;
}

async function fromProc(pid: number): Promise<RunningProcess | undefined> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  // The second field, the name in parentheses, may itself hold spaces; a zombie has no command line.
  const parent = status?.slice(status.lastIndexOf(')') + 2).split(' ')[1];
  if (parent === undefined || command === '') return undefined;
  return { parent: Number(parent), command: command.replaceAll('\0', ' ') };
}

async function fromPs(pid: number): Promise<RunningProcess | undefined> {
  const answer = await promisify(execFile)('ps', ['-o', 'ppid=,args=', '-p', String(pid)]).catch(() => undefined);
  const match = /^\s*(\d+)\s+(.*)$/s.exec(answer?.stdout ?? '');
  return match === null ? undefined : { parent: Number(match[1]), command: match[2] ?? '' };
}

async function runningProcess(pid: number): Promise<RunningProcess | undefined> {
  return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
}

async function firstLine(path: string): Promise<number | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const value = Number(text.split('\n')[0]);
  return Number.isInteger(value) && value > 1 ? value : undefined;
}

/**
 * Stops a server that still runs on `data` although the process that started it is gone (it was killed). A process id
 * is believed only when that process really is a PostgreSQL on `data`, as ids are used again.
 * Throws LOCAL_DIRECTORY_IN_USE when the process named in `ownerFile` lives and still is the server's parent.
 */
export async function stopLeftover(data: string, ownerFile: string): Promise<void> {
  const pidFile = join(data, 'postmaster.pid');
  const pid = await firstLine(pidFile);
  if (pid === undefined) return;
  const isServer = async (): Promise<RunningProcess | undefined> => {
    const found = await runningProcess(pid);
    return found !== undefined && found.command.includes(`-D ${data}`) ? found : undefined;
  };
  const server = await isServer();
  // PostgreSQL would refuse to start while any process of ours has the id in the file.
  if (server === undefined) return rm(pidFile, { force: true });
  if (server.parent === (await firstLine(ownerFile))) {
    throw new AppError('LOCAL_DIRECTORY_IN_USE', `PostgreSQL on ${data} belongs to running process ${server.parent}`);
  }
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    process.kill(pid, signal);
    for (let waited = 0; waited < 5_000; waited += 20) {
      if ((await isServer()) === undefined) return;
      await delay(20);
    }
  }
}
