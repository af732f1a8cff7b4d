import { integer, type Environment } from '../environment.ts';
import { awsSecrets } from './aws-secrets.ts';
import { parseReference } from './reference.ts';
import { type SecretReader, secretReader } from './secrets.ts';

/** Settings of ours that may be references; other variables of the environment are nobody's business here. */
const OURS = /^(?:KONG|KUBERNETES|STATUS|WEBHOOK)_|^CLUSTERS$/;

/** Read again while the function lives, so that they stay references; see `kubernetesConfig`. */
const RENEWED: ReadonlySet<string> = new Set([
  'KUBERNETES_CA',
  'KUBERNETES_TOKEN',
  'KUBERNETES_CLIENT_CERTIFICATE',
  'KUBERNETES_CLIENT_KEY',
]);

/** How long what was read from a secret counts, ms. Reads SECRETS_MAX_AGE_SECONDS (300). Throws CONFIG_INVALID. */
export function secretsMaxAgeMs(env: Environment): number {
  return integer(env, 'SECRETS_MAX_AGE_SECONDS', 300, 1) * 1000;
}

/** A reader of the secrets and parameters that the function's role may read. Throws CONFIG_INVALID. */
export function awsSecretReader(env: Environment): SecretReader {
  return secretReader({ fetch: awsSecrets(env), maxAgeMs: secretsMaxAgeMs(env) });
}

function isResolved(name: string, value: string | undefined): value is string {
  return value !== undefined && OURS.test(name) && !RENEWED.has(name) && parseReference(value) !== undefined;
}

/** A reference among the settings of a cluster in CLUSTERS. */
const NESTED = /"(?:secretsmanager|ssm):/;

/** Whether a setting has to be resolved, and so may be another one after a while. */
export function hasReferences(env: Environment): boolean {
  return Object.entries(env).some(([name, value]) => isResolved(name, value)) || NESTED.test(env['CLUSTERS'] ?? '');
}

/**
 * The settings with the value of each reference in its place, but for the cluster's credentials, which are read when
 * they are used. Asks nobody when there is no reference. Throws SECRET_UNREADABLE, which names the setting,
 * SECRET_UNAVAILABLE and AWS_CREDENTIALS_MISSING.
 */
export async function resolveSettings(env: Environment, secrets: SecretReader): Promise<Environment> {
  const entries = Object.entries(env).map(async ([name, value]) => {
    const reference = isResolved(name, value) ? parseReference(value) : undefined;
    return [name, reference === undefined ? value : await secrets.read(reference)] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}
