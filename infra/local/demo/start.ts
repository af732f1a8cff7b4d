import { interrupted } from '../until-interrupted.ts';
import { startStack, type Stack, type StackOptions } from '../stack.ts';
import { startBackend } from './backends.ts';
import { connectCluster } from './cluster.ts';
import { startJourney } from './journey.ts';
import { createMeter } from './meter.ts';
import { shop } from './steps.ts';

export interface StartOptions extends Pick<StackOptions, 'topology' | 'directory' | 'ports'> {
  /** Prints the functions' log lines. */
  readonly showLog: boolean;
  readonly print: (line: string) => void;
}

function instructions(stack: Stack): string {
  const proxies = stack.kong.proxies.map(({ name, http, tls }) => `  ${name.padEnd(22)} ${http}  ${tls}`);
  const [proxy] = stack.kong.proxies;
  const kubectl = `kubectl --kubeconfig ${stack.kubeconfig}`;
  const http = proxy?.http ?? '';
  const tlsPort = proxy === undefined ? '' : new URL(proxy.tls).port;
  return `
  Kong's Admin API       ${stack.kong.adminUrls.join('  ')}
${proxies.join('\n')}
  webhook                ${stack.webhook.url}
  status page            ${stack.status.url}
  kubeconfig             ${stack.kubeconfig}

Try:
  curl -H 'Host: shop.example' ${http}/
  curl -k --resolve shop.example:${tlsPort}:127.0.0.1 https://shop.example:${tlsPort}/cart
  ${kubectl} get ingress -n shop
  ${kubectl} edit ingress shop -n shop
  curl ${stack.kong.adminUrls[0]}/routes

The functions run on their schedules; converge judges soon after each write, and every minute. The status page shows what
it found; its token is also good for /status.json and /metrics, as a bearer. Ctrl-C stops everything and keeps the data.`;
}

/** Starts the stack with the shop in it, says where everything is, and stays until SIGINT or SIGTERM. */
export async function runStart({ print, showLog, ...options }: StartOptions): Promise<void> {
  print(`Starting PostgreSQL, stand-ins for Kong (${options.topology}) and Kubernetes, and the functions …`);
  const meter = createMeter();
  const stop = interrupted();
  const stack = await startStack({
    ...options,
    environment: process.env,
    schedules: true,
    log: (line) => {
      meter.feed(line);
      if (showLog) print(line);
    },
  });
  const backends = await Promise.all(['web', 'api', 'assets', 'web-new'].map(startBackend));
  try {
    const cluster = connectCluster(stack.kubeconfig);
    const [appears] = await shop({ stack, cluster, backends });
    const result = appears && (await startJourney(stack, meter).run(appears));
    for (const { says, held, saw } of result?.proofs ?? [])
      print(`  ${held ? '✓' : '✗'} ${says}${held ? '' : `; saw ${saw}`}`);
    print(instructions(stack));
    await stop;
    print('Stopping …');
  } finally {
    await Promise.all(backends.map((backend) => backend.stop()));
    await stack.stop();
  }
}
