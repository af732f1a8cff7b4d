import { AppError } from '../shared/errors.ts';

interface Command {
  /** Takes the arguments after the command's name, gives the exit code. */
  readonly run: (args: readonly string[]) => Promise<number>;
  /** What follows `kong-ingress ` in the usage: one line of arguments, then what it does and an example, indented. */
  readonly usage: string;
}

/** Imported only when called, so that each starts quickly. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  translate: () => import('../shared/cli/translate.ts'),
  diff: () => import('../shared/cli/diff.ts'),
  sync: () => import('../shared/cli/sync.ts'),
  reconcile: () => import('../shared/cli/reconcile.ts'),
  converge: () => import('../shared/cli/converge.ts'),
  status: () => import('../shared/cli/status.ts'),
  wait: () => import('../shared/cli/wait.ts'),
  watch: () => import('../shared/cli/watch.ts'),
};

const USAGE = `usage: kong-ingress COMMAND [ARGUMENTS]
  translate  what manifests become in Kong, offline
  diff       what a reconcile would do, without doing it
  sync       works single objects off, as if they had just changed
  reconcile  compares the whole cluster with Kong and writes what differs
  converge   judges once which data planes run the newest revision
  status     the verdicts and the last revisions, read only
  wait       waits until every data plane is proven to run what is written
  watch      follows a cluster that cannot call, and posts what changes
"kong-ingress COMMAND --help" says more. Settings are the functions' environment variables (KONG_ADMIN_URL,
KONG_DATABASE_URL, …); the cluster is KUBERNETES_URL with its credentials, --kubeconfig FILE or KUBECONFIG.
`;

function isHelp(argument: string | undefined): boolean {
  return argument === '--help' || argument === '-h' || argument === 'help';
}

async function main([name = '', ...args]: readonly string[]): Promise<number> {
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load === undefined) {
    (isHelp(name) ? process.stdout : process.stderr).write(USAGE);
    return isHelp(name) ? 0 : 1;
  }
  const { run, usage } = await load();
  if (!isHelp(args[0])) return run(args);
  process.stdout.write(`usage: kong-ingress ${usage}\n`);
  return 0;
}

/** Name, message and stack only: what libraries hang on their errors (request headers, DSNs) must not be shown. */
function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  return new AppError('INTERNAL', error instanceof Error ? (error.stack ?? error.message) : 'a thrown value');
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (thrown) {
  const error = asAppError(thrown);
  process.stderr.write(`${error.code} ${error.message}\n${error.info.nextStep}\n`);
  process.exitCode = 1;
}
