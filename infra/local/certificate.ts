import { isIP } from 'node:net';
import { generate } from 'selfsigned';

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

const altName = (host: string): { type: 2; value: string } | { type: 7; ip: string } =>
  isIP(host) === 0 ? { type: 2, value: host } : { type: 7, ip: host };

function validity(): { readonly keyType: 'ec'; readonly curve: 'P-256'; readonly notAfterDate: Date } {
  return { keyType: 'ec', curve: 'P-256', notAfterDate: new Date(Date.now() + 30 * 86_400_000) };
}

/** Makes a self-signed certificate for these host names and IP addresses, for local use only: EC P-256, valid for 30 days. */
export async function selfSigned(hosts: readonly [string, ...string[]]): Promise<KeyPair> {
  const pair = await generate([{ name: 'commonName', value: hosts[0] }], {
    ...validity(),
    extensions: [{ name: 'subjectAltName', altNames: hosts.map(altName) }],
  });
  return { certificate: pair.cert, key: pair.private };
}

/** Makes a certificate authority, with the same limits. */
export async function authority(name: string): Promise<KeyPair> {
  const pair = await generate([{ name: 'commonName', value: name }], {
    ...validity(),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return { certificate: pair.cert, key: pair.private };
}

/** Makes a certificate that an authority signed, for servers and clients, with the same limits. */
export async function signedBy(ca: KeyPair, hosts: readonly [string, ...string[]]): Promise<KeyPair> {
  const pair = await generate([{ name: 'commonName', value: hosts[0] }], {
    ...validity(),
    algorithm: 'sha256',
    ca: { key: ca.key, cert: ca.certificate },
    extensions: [
      { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
      { name: 'subjectAltName', altNames: hosts.map(altName) },
    ],
  });
  return { certificate: pair.cert, key: pair.private };
}
