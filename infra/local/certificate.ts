import { isIP } from 'node:net';
import { generate } from 'selfsigned';

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

const altName = (host: string): { type: 2; value: string } | { type: 7; ip: string } =>
  isIP(host) === 0 ? { type: 2, value: host } : { type: 7, ip: host };

/** Makes a self-signed certificate for these host names and IP addresses, for local use only: EC P-256, valid for 30 days. */
export async function selfSigned(hosts: readonly [string, ...string[]]): Promise<KeyPair> {
  const notAfterDate = new Date(Date.now() + 30 * 86_400_000);
  const pair = await generate([{ name: 'commonName', value: hosts[0] }], {
    keyType: 'ec',
    curve: 'P-256',
    notAfterDate,
    extensions: [{ name: 'subjectAltName', altNames: hosts.map(altName) }],
  });
  return { certificate: pair.cert, key: pair.private };
}
