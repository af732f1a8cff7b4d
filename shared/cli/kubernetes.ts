import type { Environment } from '../config.ts';
import { connect, type Control } from '../control.ts';
import { loadKubeconfig } from '../kubernetes/kubeconfig.ts';

/**
 * The environment with the cluster's address and credentials: those of `--kubeconfig`, else KUBERNETES_URL and what
 * belongs to it, else the file that KUBECONFIG names. Throws KUBECONFIG_INVALID.
 */
export async function withCluster(env: Environment, kubeconfig: string | undefined): Promise<Environment> {
  const own = env.KUBERNETES_URL === undefined || env.KUBERNETES_URL === '' ? env.KUBECONFIG : undefined;
  const file = kubeconfig ?? own;
  if (file === undefined || file === '') return env;
  const { url, ca, token, clientCertificate, clientKey } = await loadKubeconfig(file, env.CLUSTER_NAME);
  return {
    ...env,
    KUBERNETES_URL: url,
    KUBERNETES_CA: ca,
    KUBERNETES_TOKEN: token,
    KUBERNETES_CLIENT_CERTIFICATE: clientCertificate,
    KUBERNETES_CLIENT_KEY: clientKey,
  };
}

/** Connects as the functions do, works, and closes the connections whatever came of it. */
export async function withControl<Result>(
  kubeconfig: string | undefined,
  work: (control: Control) => Promise<Result>,
): Promise<Result> {
  const control = await connect(await withCluster(process.env, kubeconfig));
  try {
    return await work(control);
  } finally {
    for (const notice of control.takeNotices()) process.stderr.write(`${notice}\n`);
    await control.close();
  }
}
