import { createHash, timingSafeEqual } from 'node:crypto';
import { AppError } from '../errors.ts';

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** Compares with every token whatever the first ones gave; equal lengths of the digests make each comparison constant. */
function isKnown(candidate: string, tokens: readonly string[]): boolean {
  const wanted = digest(candidate);
  return tokens.map((token) => timingSafeEqual(wanted, digest(token))).includes(true);
}

/**
 * Lets a request pass whose bearer token or path secret is one of `tokens` (several during a rotation). The path is
 * for senders that cannot set a header, as kube-apiserver for admission webhooks. Throws `code`.
 */
export function authenticate(
  request: { readonly authorization: string | undefined; readonly pathToken: string | undefined },
  tokens: readonly string[],
  code: 'WEBHOOK_UNAUTHORIZED' | 'STATUS_UNAUTHORIZED' = 'WEBHOOK_UNAUTHORIZED',
): void {
  const bearer = /^bearer +(\S+)$/i.exec(request.authorization ?? '')?.[1];
  const candidates = [bearer, request.pathToken].filter((candidate) => candidate !== undefined && candidate !== '');
  if (candidates.length === 0) throw new AppError(code, 'the request carries no token');
  if (!candidates.some((candidate) => candidate !== undefined && isKnown(candidate, tokens))) {
    throw new AppError(code, 'the token is wrong');
  }
}
