import { execFile } from 'node:child_process';
import path from 'node:path';
import type { Stack } from '../stack.ts';

const ROOT = path.join(import.meta.dirname, '../../..');

/** How a command ended, and the last line that it printed. */
export interface Ended {
  readonly code: number;
  readonly says: string;
}

/** Runs `kong-ingress` as a person or a pipeline does, with the settings of the stack's functions. */
export function kongIngress(stack: Stack, args: readonly string[]): Promise<Ended> {
  const env = { PATH: process.env['PATH'], ...stack.environment };
  return new Promise((resolve) => {
    execFile(process.execPath, ['functions/cli.ts', ...args], { cwd: ROOT, env }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, says: `${stdout}${stderr}`.trimEnd().split('\n').at(-1) ?? '' });
    });
  });
}
