import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { AppError } from '../../../shared/errors.ts';

/** Directories claimed by this process: its own id in a lock file may also be a leftover of an earlier boot. */
const claimed = new Set<string>();

function holder(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * Claims a data directory for this process, making it (0700) when it is not there: two servers that append to one
 * journal would destroy it. Gives the function that lets go. Throws LOCAL_DIRECTORY_IN_USE.
 */
export function claim(directory: string): () => void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = path.join(directory, 'lock');
  const pid = holder(file);
  const other = pid !== undefined && pid !== process.pid && pid > 0 && isAlive(pid);
  if (other || claimed.has(directory)) {
    throw new AppError('LOCAL_DIRECTORY_IN_USE', `${directory} is used by process ${pid ?? process.pid}`);
  }
  claimed.add(directory);
  writeFileSync(file, String(process.pid), { mode: 0o600 });
  return () => {
    if (claimed.delete(directory)) rmSync(file, { force: true });
  };
}
