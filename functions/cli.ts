import { AppError } from '../shared/errors.ts';

/** A command: takes the arguments after its name, gives the exit code. */
type Command = (args: readonly string[]) => Promise<number>;

/** Imported only when called, so that each starts quickly. */
const COMMANDS: Readonly<Record<string, () => Promise<{ readonly run: Command }>>> = {
  translate: () => import('../shared/cli/translate.ts'),
};

const USAGE = `usage: kong-ingress COMMAND [ARGUMENTS]
commands: ${Object.keys(COMMANDS).join(', ')}
`;

async function main(): Promise<number> {
  const [name = '', ...args] = process.argv.slice(2);
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load === undefined) {
    process.stderr.write(USAGE);
    return name === 'help' || name === '--help' ? 0 : 1;
  }
  const { run } = await load();
  return run(args);
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof AppError)) throw error;
  process.stderr.write(`${error.code} ${error.message}\n${error.info.nextStep}\n`);
  process.exitCode = 1;
}
