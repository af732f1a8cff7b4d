/** How Kong 3.9 reads a request's path and makes the upstream's from it. */

/** Octets that stay percent-encoded because decoding them would change the URI's structure. */
const RESERVED = new Set(Buffer.from("!#$%&'()*+,/:;=?@[]"));

function decode(path: string): string {
  return path.replaceAll(/(?:%[0-9A-Fa-f]{2})+/g, (run) => {
    const pieces: string[] = [];
    let bytes: number[] = [];
    const flush = (): void => {
      const decoded = Buffer.from(bytes).toString('utf8');
      // Bytes that are no UTF-8 cannot be told from others once decoded, so they stay as they came.
      const kept = Buffer.from(decoded, 'utf8').equals(Buffer.from(bytes));
      pieces.push(kept ? decoded : bytes.map(encodeByte).join(''));
      bytes = [];
    };
    for (const pair of run.slice(1).split('%')) {
      const byte = Number.parseInt(pair, 16);
      if (RESERVED.has(byte)) {
        flush();
        pieces.push(`%${pair.toUpperCase()}`);
      } else {
        bytes.push(byte);
      }
    }
    flush();
    return pieces.join('');
  });
}

function encodeByte(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

function withoutDotSegments(path: string): string {
  const kept: string[] = [];
  const segments = path.split('/').slice(1);
  segments.forEach((segment, index) => {
    const last = index === segments.length - 1;
    if (segment === '..') kept.pop();
    if (segment !== '.' && segment !== '..') kept.push(segment);
    else if (last) kept.push('');
  });
  return `/${kept.join('/')}`;
}

/** The path that routes are matched against: without query, unreserved octets decoded, dot segments and double slashes gone. */
export function normalizePath(target: string): string {
  const path = target.replace(/[?#].*$/s, '');
  return withoutDotSegments(decode(path).replaceAll(/\/{2,}/g, '/'));
}

/** Percent-encodes what may not stand in a request line; `%` is taken to begin an escape already. */
export function escapePath(path: string): string {
  return path.replaceAll(/[^!#$&'()*+,/:;=?@[\]A-Za-z0-9\-._~%]/gu, (character) =>
    [...Buffer.from(character, 'utf8')].map(encodeByte).join(''),
  );
}

function withoutLeadingDots(postfix: string): string {
  if (postfix === '.' || postfix === '..') return '';
  return postfix.replace(/^\.{1,2}\//, '');
}

function stripped(base: string, postfix: string, requestPath: string): string {
  const baseEnds = base.endsWith('/');
  if (postfix === '') {
    if (base === '/') return '/';
    if (baseEnds) return requestPath.endsWith('/') ? base : base.slice(0, -1);
    return requestPath.length > 1 && requestPath.endsWith('/') ? `${base}/` : base;
  }
  const joint = (baseEnds ? base.slice(0, -1) : base) + (postfix.startsWith('/') ? '' : '/');
  return joint + postfix;
}

/**
 * The upstream's path with `path_handling` v0: the service's path and what is left of the request's, with exactly one
 * slash between. `prefix` is the matched path when the route strips it, else undefined.
 */
export function upstreamPath(requestPath: string, prefix: string | undefined, servicePath: string | undefined): string {
  const base = servicePath ?? '/';
  if (prefix !== undefined) return stripped(base, withoutLeadingDots(requestPath.slice(prefix.length)), requestPath);
  if (base.endsWith('/')) return base + requestPath.slice(1);
  return requestPath === '/' ? base : base + requestPath;
}
