import { createSecureContext } from 'node:tls';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import { selfSigned } from '../../certificate.ts';
import type { Certificate, Configuration } from './configuration.ts';

/** Chooses the certificate for a TLS server name. */
export interface CertificateStore {
  find(sni: string | undefined): Certificate | undefined;
}

/** Names under which Kong looks for an SNI, the most specific first: itself, `*.rest`, `first.*`, `*`. */
function candidates(sni: string | undefined): readonly string[] {
  if (sni === undefined || sni === '') return ['*'];
  const labels = sni.toLowerCase().split('.');
  if (labels.length < 2) return [labels.join('.'), '*'];
  return [labels.join('.'), `*.${labels.slice(1).join('.')}`, `${labels.slice(0, -1).join('.')}.*`, '*'];
}

/** A store over the certificates and SNIs of a configuration. */
export function certificateStore(configuration: Pick<Configuration, 'certificates' | 'snis'>): CertificateStore {
  return {
    find(sni) {
      for (const name of candidates(sni)) {
        const certificate = configuration.certificates.get(configuration.snis.get(name) ?? '');
        if (certificate !== undefined) return certificate;
      }
      return undefined;
    },
  };
}

function optionsOf(certificate: Certificate): SecureContextOptions {
  const { cert, key, certAlt, keyAlt } = certificate;
  if (certAlt === undefined || keyAlt === undefined) return { cert, key };
  return { cert: [cert, certAlt], key: [key, keyAlt] };
}

/** A certificate in the forms that Node's TLS servers take. */
export interface Prepared {
  readonly options: SecureContextOptions;
  readonly context: SecureContext;
}

/** Makes TLS contexts, each certificate once; one that cannot be used (or none) gives the self-made default. */
export async function prepareCertificates(): Promise<(certificate: Certificate | undefined) => Prepared> {
  const own = await selfSigned(['localhost']);
  const options = { cert: own.certificate, key: own.key };
  const fallback = { options, context: createSecureContext(options) };
  const made = new WeakMap<Certificate, Prepared>();
  return (certificate) => {
    if (certificate === undefined) return fallback;
    const known = made.get(certificate);
    if (known !== undefined) return known;
    let prepared: Prepared = fallback;
    try {
      prepared = { options: optionsOf(certificate), context: createSecureContext(optionsOf(certificate)) };
    } catch {
      // Kong logs a certificate that it cannot parse and shows its own.
    }
    made.set(certificate, prepared);
    return prepared;
  };
}
