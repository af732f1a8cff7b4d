import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { stopLeftover } from '../../../infra/local/postgres/leftover.ts';
import { AppError } from '../../../shared/errors.ts';

let base: string;
let data: string;
let owner: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'leftover-test-'));
  data = join(base, 'data');
  owner = join(base, 'owner.pid');
  await mkdir(data);
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(base, { recursive: true, force: true });
});

/** A process that looks like a server on `directory`, written down in the pid file of `data`. */
async function server(directory: string): Promise<ChildProcess> {
  const script = "process.send('up'); setInterval(() => undefined, 60_000)";
  const child = spawn(process.execPath, ['-e', script, '--', '-D', directory], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  children.push(child);
  await once(child, 'message');
  await writeFile(join(data, 'postmaster.pid'), `${child.pid}\n${directory}\n`);
  return child;
}

function runs(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

test('a server whose owner is gone is stopped', async () => {
  const child = await server(data);
  const ended = once(child, 'exit');
  await writeFile(owner, '999999999\n');
  await stopLeftover(data, owner);
  await ended;
  assert.equal(child.signalCode, 'SIGINT');
});

test('a server without a note of its owner is stopped', async () => {
  const child = await server(data);
  const ended = once(child, 'exit');
  await stopLeftover(data, owner);
  await ended;
});

test('a server whose owner lives is left alone', async () => {
  const child = await server(data);
  await writeFile(owner, `${process.pid}\n`);
  await assert.rejects(
    stopLeftover(data, owner),
    (error: unknown) => error instanceof AppError && error.code === 'LOCAL_DIRECTORY_IN_USE',
  );
  assert.ok(runs(child));
});

test('a process that is no server on this directory is left alone, and its pid file removed', async () => {
  const child = await server(join(base, 'other'));
  await stopLeftover(data, owner);
  assert.ok(runs(child));
  await assert.rejects(access(join(data, 'postmaster.pid')));
});

test('no pid file and a broken one are nothing to do', async () => {
  await stopLeftover(data, owner);
  await writeFile(join(data, 'postmaster.pid'), 'what\n');
  await stopLeftover(data, owner);
});
