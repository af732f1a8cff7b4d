import { selfSigned } from '../../infra/local/certificate.ts';
import type { Secret } from '../../shared/kubernetes/resources.ts';

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** A TLS Secret with a certificate of its own. */
export async function tlsSecret(name: string, host: string): Promise<Secret> {
  const { certificate, key } = await selfSigned([host]);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'default' },
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': base64(certificate), 'tls.key': base64(key) },
  };
}
