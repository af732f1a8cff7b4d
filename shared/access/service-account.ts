import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { AppError } from '../errors.ts';
import type { CredentialSource } from './credentials.ts';
import { renewed } from './renewed.ts';

/** Where the kubelet puts a pod's ServiceAccount. */
export const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The kubelet writes a new token long before the old one ends; this is how often other clients look, too. */
const READ_AGAIN_MS = 60_000;

async function text(folder: string, file: string): Promise<string> {
  try {
    return (await readFile(path.join(folder, file), 'utf8')).trim();
  } catch {
    throw new AppError('CONFIG_INVALID', `${path.join(folder, file)} cannot be read, and KUBERNETES_URL is not set`);
  }
}

/** The credentials of the pod that this runs in, read again every minute and when they are refused. */
export function serviceAccount(folder: string = SERVICE_ACCOUNT, clock: () => number = Date.now): CredentialSource {
  const read = (file: string): ReturnType<typeof renewed<string>> =>
    renewed(async () => ({ until: clock() + READ_AGAIN_MS, value: await text(folder, file) }), clock);
  const [token, ca] = [read('token'), read('ca.crt')];
  return {
    async current(refused) {
      return {
        token: await token(refused?.token),
        ca: await ca(refused?.ca),
        clientCertificate: undefined,
        clientKey: undefined,
      };
    },
  };
}
