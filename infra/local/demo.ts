import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { runDemo, type DemoOptions } from './demo/run.ts';

const USAGE = 'usage: npm run demo [-- --topology hybrid|traditional] [-- --others 200,5000] [-- --kill SEED]\n';

/** The options, or undefined when they cannot be used. */
function options(argv: readonly string[]): Pick<DemoOptions, 'topology' | 'others' | 'kill'> | undefined {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        topology: { type: 'string', default: 'hybrid' },
        others: { type: 'string', default: '200,5000' },
        kill: { type: 'string' },
      },
    });
    const { topology } = values;
    const others = values.others.split(',').map(Number);
    const growing = others.every(
      (count, place) => Number.isInteger(count) && count >= Math.max(50, others[place - 1] ?? 0),
    );
    const kill = values.kill === undefined ? {} : { kill: Number(values.kill) };
    if (!growing || (kill.kill !== undefined && !Number.isInteger(kill.kill))) return undefined;
    return topology === 'hybrid' || topology === 'traditional' ? { topology, others, ...kill } : undefined;
  } catch {
    return undefined;
  }
}

const chosen = options(process.argv.slice(2));
if (chosen === undefined) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'kong-ingress-demo-'));
  try {
    // PostgreSQL runs as an unprivileged user where this one is root, and must be able to enter.
    await chmod(directory, 0o755);
    const held = await runDemo({ ...chosen, directory, print: (line) => void process.stdout.write(`${line}\n`) });
    process.exitCode = held ? 0 : 1;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
