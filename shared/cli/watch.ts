import { awsSecretReader, resolveSettings } from '../access/settings.ts';
import { kubernetesConfig, type Environment, type KubernetesConfig } from '../config.ts';
import { optional, required, url } from '../environment.ts';
import type { Target } from '../watch/deliver.ts';
import { serveHealth } from '../watch/health.ts';
import { startWatch } from '../watch/watch.ts';
import { webhookTarget } from '../watch/webhook-target.ts';
import { badArguments, parseArguments } from './arguments.ts';
import { untilInterrupted } from './print.ts';

export const usage = `watch [--to webhook|bus] [--kubeconfig FILE] [--health HOST:PORT]
  Follows the cluster and posts what changes, for clusters that cannot call: to the webhook function (WEBHOOK_URL,
  WEBHOOK_TOKEN; WEBHOOK_CLIENT_CERTIFICATE and WEBHOOK_CLIENT_KEY where it asks for them) or to the bus
  (EVENT_BUS_NAME, CLUSTER_NAME). Runs until SIGTERM or Ctrl-C; prints a line of counts a minute. --health answers
  /livez and /readyz. In a pod it uses the pod's ServiceAccount.
  WEBHOOK_URL=https://…/webhook WEBHOOK_TOKEN=… kong-ingress watch --kubeconfig ~/.kube/config`;

const COUNTS_EVERY_MS = 60_000;
const DRAIN_MS = 10_000;

/** What the bus needs is loaded for the bus alone: a pod that calls the webhook stays small. */
async function targetOf(to: string, env: Environment): Promise<Target & { close(): void }> {
  if (to === 'bus') {
    const { EventBridgeClient } = await import('@aws-sdk/client-eventbridge');
    const { publisher } = await import('../publish.ts');
    const client = new EventBridgeClient({});
    return { ...publisher({ client, eventBusName: required(env, 'EVENT_BUS_NAME') }), close: () => client.destroy() };
  }
  if (to !== 'webhook') throw badArguments(`--to is webhook or bus, not ${to}`, usage);
  return webhookTarget({
    url: url('WEBHOOK_URL', required(env, 'WEBHOOK_URL'), ['https:', 'http:']),
    token: required(env, 'WEBHOOK_TOKEN'),
    clientCertificate: optional(env, 'WEBHOOK_CLIENT_CERTIFICATE'),
    clientKey: optional(env, 'WEBHOOK_CLIENT_KEY'),
  });
}

/** The cluster, with credentials that are renewed: a watch outlives tokens. */
async function clusterOf(env: Environment, file: string | undefined): Promise<KubernetesConfig> {
  const own = optional(env, 'KUBERNETES_URL') === undefined ? optional(env, 'KUBECONFIG') : undefined;
  const kubeconfig = file ?? own;
  if (kubeconfig === undefined) return kubernetesConfig(env);
  const { kubeconfigSource, loadKubeconfig } = await import('../kubernetes/kubeconfig.ts');
  return { ...(await loadKubeconfig(kubeconfig, env.CLUSTER_NAME)), source: kubeconfigSource(kubeconfig) };
}

function addressOf(text: string): { host: string; port: number } {
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  if (host === undefined || port === undefined) throw badArguments(`--health ${text} is not HOST:PORT`, usage);
  return { host, port: Number(port) };
}

function line(message: string, fields: object): void {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), message, ...fields })}\n`);
}

/** Runs `watch`. Returns the exit code. Throws ARGUMENTS_INVALID, CONFIG_INVALID, KUBECONFIG_INVALID and SECRET_*. */
export async function run(args: readonly string[]): Promise<number> {
  const options = {
    to: { type: 'string', default: 'webhook' },
    kubeconfig: { type: 'string' },
    health: { type: 'string' },
  } as const;
  const { values } = parseArguments({ args: [...args], options }, usage);
  const address = values.health === undefined ? undefined : addressOf(values.health);
  const env = await resolveSettings(process.env, awsSecretReader(process.env));
  const target = await targetOf(values.to, env);
  const kubernetes = await clusterOf(env, values.kubeconfig);
  const interrupted = untilInterrupted();
  const log = (problem: string): void => line('failed, tried again', { problem });
  const watch = startWatch({ kubernetes, target, signal: interrupted.signal, drainMs: DRAIN_MS, log });
  const health = address === undefined ? undefined : await serveHealth(address, () => watch.report());
  const timer = setInterval(() => line('counts', watch.report()), COUNTS_EVERY_MS);
  line('watching', {
    cluster: kubernetes.cluster,
    to: values.to,
    ...(health === undefined ? {} : { port: health.port }),
  });
  try {
    await watch.ended;
  } finally {
    clearInterval(timer);
    health?.close();
    target.close();
    interrupted.end();
    line('ended', watch.report());
  }
  return 0;
}
