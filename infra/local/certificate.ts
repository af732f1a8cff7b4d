import { generate } from 'selfsigned';

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** Makes a self-signed certificate for these host names, for local use only: EC P-256, valid for 30 days. */
export async function selfSigned(hosts: readonly [string, ...string[]]): Promise<KeyPair> {
  const notAfterDate = new Date(Date.now() + 30 * 86_400_000);
  const pair = await generate([{ name: 'commonName', value: hosts[0] }], {
    keyType: 'ec',
    curve: 'P-256',
    notAfterDate,
    extensions: [{ name: 'subjectAltName', altNames: hosts.map((value) => ({ type: 2 as const, value })) }],
  });
  return { certificate: pair.cert, key: pair.private };
}
