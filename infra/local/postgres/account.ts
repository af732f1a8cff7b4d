import { chmod, lstat, mkdir, realpath, stat } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { AppError } from '../../../shared/errors.ts';

/** Who runs PostgreSQL. `drop` is set when this process is root, because PostgreSQL refuses to run as root. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
  readonly drop: boolean;
}

const NOBODY = 65_534;

/** The account for a server on `dataDirectory`: the owner of a directory that exists, nobody for root, else this user. */
export async function accountFor(dataDirectory: string): Promise<Account> {
  const uid = process.getuid?.() ?? 0;
  const gid = process.getgid?.() ?? 0;
  if (process.platform === 'win32' || uid !== 0) return { uid, gid, drop: false };
  const owner = await lstat(dataDirectory).catch(() => undefined);
  if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid, drop: true };
  return { uid: NOBODY, gid: NOBODY, drop: true };
}

/** True when any user may enter `path`, so that an account without rights of its own can use what is in it. */
export async function isOpenToAll(path: string): Promise<boolean> {
  for (let current = await realpath(path); ; current = dirname(current)) {
    if (((await stat(current)).mode & 0o001) === 0) return false;
    if (current === dirname(current)) return true;
  }
}

/**
 * A directory below the system's temporary one that stands in for `path` when the account cannot enter that;
 * the same for the same `path`, so that a restart finds its data. Throws LOCAL_DIRECTORY_UNUSABLE when somebody
 * else made it before.
 */
export async function standInDirectory(path: string): Promise<string> {
  const hash = createHash('sha256').update(path).digest('hex').slice(0, 16);
  const directory = join(await realpath(tmpdir()), `kong-ingress-functions-${hash}`);
  await mkdir(directory, { recursive: true });
  const info = await lstat(directory);
  if (!info.isDirectory() || info.uid !== (process.getuid?.() ?? info.uid)) {
    throw new AppError('LOCAL_DIRECTORY_UNUSABLE', `${directory} belongs to another user`);
  }
  await chmod(directory, 0o755);
  return directory;
}
