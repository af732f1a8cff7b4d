import { clusterSettings } from '../access/clusters.ts';
import { awsSecretReader, resolveSettings } from '../access/settings.ts';
import type { Environment } from '../config.ts';
import { connect, type Control } from '../control.ts';
import { AppError } from '../errors.ts';
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

/** The settings of the cluster of CLUSTERS that CLUSTER_NAME names; all of them where there is one cluster. Throws CONFIG_INVALID. */
export async function chosenCluster(env: Environment): Promise<Environment> {
  const { CLUSTERS } = await resolveSettings({ CLUSTERS: env['CLUSTERS'] }, awsSecretReader(env));
  const clusters = clusterSettings({ ...env, CLUSTERS });
  const wanted = env['CLUSTER_NAME'];
  const chosen = clusters.length === 1 ? clusters[0] : clusters.find(({ name }) => name === wanted);
  if (chosen !== undefined) return chosen.env;
  throw new AppError('CONFIG_INVALID', `CLUSTER_NAME must be one of ${clusters.map(({ name }) => name).join(', ')}`);
}

/** Connects as the functions do, works, and closes the connections whatever came of it. */
export async function withControl<Result>(
  kubeconfig: string | undefined,
  work: (control: Control) => Promise<Result>,
): Promise<Result> {
  const control = await connect(await withCluster(await chosenCluster(process.env), kubeconfig));
  try {
    return await work(control);
  } finally {
    for (const notice of control.takeNotices()) process.stderr.write(`${notice}\n`);
    await control.close();
  }
}
