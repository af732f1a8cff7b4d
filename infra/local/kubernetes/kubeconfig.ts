import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';

const NAME = 'stand-in';

function writePrivate(file: string, text: string): void {
  writeFileSync(`${file}.next`, text, { mode: 0o600 });
  renameSync(`${file}.next`, file);
}

/** The administrator's token: made once, so that a kubeconfig stays good over restarts. */
export function adminToken(directory: string): string {
  const file = path.join(directory, 'token');
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  const token = randomBytes(32).toString('base64url');
  writePrivate(file, token);
  return token;
}

/** Writes `<directory>/kubeconfig` (0600) and gives its path. `ca` is PEM, undefined for plain http. */
export function writeKubeconfig(directory: string, url: string, ca: string | undefined, token: string): string {
  const file = path.join(directory, 'kubeconfig');
  const trust = ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: NAME, cluster: { server: url, ...trust } }],
    users: [{ name: 'kubernetes-admin', user: { token } }],
    contexts: [{ name: NAME, context: { cluster: NAME, user: 'kubernetes-admin', namespace: 'default' } }],
    'current-context': NAME,
  };
  writePrivate(file, stringify(config));
  return file;
}
