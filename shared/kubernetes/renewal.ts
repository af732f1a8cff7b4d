import { type Credentials, type CredentialSource, sameCredentials } from '../access/credentials.ts';
import type { KubernetesConfig } from '../config.ts';
import { type ApiResponse, ConnectionFailed, type Transport } from './transport.ts';

/** What node says of a certificate whose authority is another than expected: it may have been changed with the secret. */
const OTHER_AUTHORITY: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
]);

/** Where a config's credentials come from. */
export function sourceOf({ source, ca, token, clientCertificate, clientKey }: KubernetesConfig): CredentialSource {
  return source ?? { current: async () => ({ ca, token, clientCertificate, clientKey }) };
}

/** Which of the credentials an outcome refuses; undefined when none. */
function refused(outcome: ApiResponse | ConnectionFailed, used: Credentials): Partial<Credentials> | undefined {
  if (outcome instanceof ConnectionFailed) {
    return OTHER_AUTHORITY.has(outcome.message) && used.ca !== undefined ? { ca: used.ca } : undefined;
  }
  if (outcome.status !== 401) return undefined;
  const { ca: _authority, ...own } = used;
  return own;
}

/**
 * Sends each request with the credentials of the moment. When they are refused (401, or a certificate of another
 * authority) and the source has newer ones, the request is sent once more with those.
 */
export function renewing(source: CredentialSource, connect: (credentials: Credentials) => Transport): Transport {
  return async (request) => {
    const used = await source.current();
    const send = async (credentials: Credentials): Promise<ApiResponse | ConnectionFailed> =>
      connect(credentials)(request).catch((error: unknown) => {
        if (error instanceof ConnectionFailed) return error;
        throw error;
      });
    const first = await send(used);
    const problem = refused(first, used);
    const next = problem === undefined ? used : await source.current(problem);
    const last = sameCredentials(next, used) ? first : await send(next);
    if (last instanceof ConnectionFailed) throw last;
    return last;
  };
}
