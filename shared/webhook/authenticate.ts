import { X509Certificate, createHash, timingSafeEqual } from 'node:crypto';
import { AppError } from '../errors.ts';

/** A token and whom it stands for. */
export interface TokenOf<Owner> {
  readonly token: string;
  readonly of: Owner;
}

/** Where a request may carry a token: in its Authorization header, or at the end of its path. */
export interface Carrier {
  readonly authorization: string | undefined;
  readonly pathToken: string | undefined;
}

type Refusal = 'WEBHOOK_UNAUTHORIZED' | 'STATUS_UNAUTHORIZED';

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** Compares with every token whatever the first ones gave; equal lengths of the digests make each comparison constant. */
function found<Owner>(candidate: string, tokens: readonly TokenOf<Owner>[]): TokenOf<Owner> | undefined {
  const wanted = digest(candidate);
  return tokens.filter(({ token }) => timingSafeEqual(wanted, digest(token)))[0];
}

/**
 * Whom a request's bearer token or path secret stands for. The path is for senders that cannot set a header, as
 * kube-apiserver for admission webhooks. Throws `code`, also when both stand for somebody, and not for the same one.
 */
export function authenticated<Owner>(
  { authorization, pathToken }: Carrier,
  tokens: readonly TokenOf<Owner>[],
  code: Refusal = 'WEBHOOK_UNAUTHORIZED',
): Owner {
  const bearer = /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  const candidates = [bearer, pathToken].filter((candidate) => candidate !== undefined && candidate !== '');
  if (candidates.length === 0) throw new AppError(code, 'the request carries no token');
  const known = candidates.flatMap((candidate) => found(candidate ?? '', tokens) ?? []);
  const [first] = known;
  if (first === undefined) throw new AppError(code, 'the token is wrong');
  if (known.some(({ of }) => of !== first.of)) throw new AppError(code, 'the tokens are of different clusters');
  return first.of;
}

/** Lets a request pass that carries one of `tokens` (several during a rotation). Throws `code`. */
export function authenticate(carrier: Carrier, tokens: readonly string[], code: Refusal): void {
  authenticated(
    carrier,
    tokens.map((token) => ({ token, of: undefined })),
    code,
  );
}

function fingerprintOf(pem: string): string {
  try {
    return new X509Certificate(pem).fingerprint256.replaceAll(':', '');
  } catch {
    throw new AppError('WEBHOOK_CERTIFICATE', 'the client certificate cannot be read');
  }
}

/**
 * Where certificates are asked for, lets a request pass only that came over mutual TLS with one of them; that the sender
 * has its key, and that the truststore's authority signed it, API Gateway has checked. Throws WEBHOOK_CERTIFICATE.
 */
export function authenticateCertificate(pem: string | undefined, fingerprints: readonly string[]): void {
  if (fingerprints.length === 0) return;
  if (pem === undefined) throw new AppError('WEBHOOK_CERTIFICATE', 'the request came without a client certificate');
  if (!fingerprints.includes(fingerprintOf(pem))) {
    throw new AppError('WEBHOOK_CERTIFICATE', 'the client certificate is not among those that are let in');
  }
}
