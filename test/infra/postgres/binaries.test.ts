import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { isOpenToAll } from '../../../infra/local/postgres/account.ts';
import { binaries, linkLibraries } from '../../../infra/local/postgres/binaries.ts';
import { AppError } from '../../../shared/errors.ts';

let base: string;
let native: string;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'binaries-test-'));
  native = join(base, 'native');
  await mkdir(join(native, 'bin'), { recursive: true });
  await mkdir(join(native, 'lib'));
  await writeFile(join(native, 'bin', 'postgres'), 'a program', { mode: 0o700 });
  await writeFile(join(native, 'lib', 'libpq.so.5.17'), 'a library', { mode: 0o600 });
  const links = [{ source: 'native/lib/libpq.so.5.17', target: 'native/lib/libpq.so.5' }, 'not a link'];
  await writeFile(join(native, 'pg-symlinks.json'), JSON.stringify(links));
});

afterEach(() => rm(base, { recursive: true, force: true }));

test('missing library links are made, once', async () => {
  await linkLibraries(native);
  await linkLibraries(native);
  assert.equal(await readlink(join(native, 'lib', 'libpq.so.5')), 'libpq.so.5.17');
});

test('programs that the account cannot enter are copied to where it can, once', async () => {
  await chmod(base, 0o700);
  const account = { uid: 65_534, gid: 65_534, drop: true };
  const [one, two] = await Promise.all([binaries(account, native), binaries(account, native)]);
  assert.ok(one !== undefined && two !== undefined);
  const copy = join(one.postgres, '..', '..', '..', '..');
  try {
    assert.deepEqual(two, one);
    assert.ok(await isOpenToAll(one.postgres));
    assert.equal(await readFile(join(one.postgres, '..', '..', 'lib', 'libpq.so.5'), 'utf8'), 'a library');
    assert.equal((await stat(join(one.postgres, '..', '..', 'lib', 'libpq.so.5.17'))).mode & 0o004, 0o004);
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
});

test('a package without programs is an error', async () => {
  await rm(join(native, 'bin', 'postgres'));
  await assert.rejects(
    binaries({ uid: 1000, gid: 1000, drop: false }, native),
    (error: unknown) => error instanceof AppError && error.code === 'POSTGRES_UNAVAILABLE',
  );
});
