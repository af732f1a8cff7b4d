import path from 'node:path';
import { parseArgs } from 'node:util';
import { runStart } from './demo/start.ts';

const USAGE = `usage: npm start [-- --topology hybrid|traditional] [--http-port N] [--admin-port N] [--kubernetes-port N] [--log]
`;

type Settings = Parameters<typeof runStart>[0];

function port(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const parsed = Number(value);
  if (Number.isInteger(parsed) && parsed > 0 && parsed <= 65_535) return parsed;
  throw new TypeError(`${value} is not a port`);
}

/** What the command line asks for, or undefined when it cannot be used. */
function settings(argv: readonly string[]): Omit<Settings, 'print'> | undefined {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        topology: { type: 'string', default: 'hybrid' },
        'http-port': { type: 'string' },
        'admin-port': { type: 'string' },
        'kubernetes-port': { type: 'string' },
        log: { type: 'boolean', default: false },
      },
    });
    const { topology } = values;
    if (topology !== 'hybrid' && topology !== 'traditional') return undefined;
    const [http, admin, kubernetes] = [values['http-port'], values['admin-port'], values['kubernetes-port']].map(port);
    const ports = {
      ...(http === undefined ? {} : { http }),
      ...(admin === undefined ? {} : { admin }),
      ...(kubernetes === undefined ? {} : { kubernetes }),
    };
    const directory = path.join(import.meta.dirname, '../../.local', topology);
    return { topology, ports, directory, showLog: values.log };
  } catch {
    return undefined;
  }
}

const chosen = settings(process.argv.slice(2));
if (chosen === undefined) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  await runStart({ ...chosen, print: (line) => void process.stdout.write(`${line}\n`) });
}
