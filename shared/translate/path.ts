/**
 * Paths of the traditional router. Kong 3.9 takes two kinds: plain paths that start with `/`, and regular expressions
 * that start with `~/`. Only what Kong surely refuses is a problem here; the rest is Kong's to judge.
 */

const LONGEST_PATH = 8192;

/** Most paths: nothing in them can fail to compile. */
const LITERAL = /^[\w/.~%-]*\$?$/;

/** PCRE syntax that JavaScript lacks, replaced by what it has, only to see whether the rest compiles. */
function withoutPcreOnly(source: string): string {
  return source
    .replaceAll(/\(\?P?<([A-Za-z_]\w*)>/g, '(')
    .replaceAll(/\(\?>/g, '(?:')
    .replaceAll(/\(\?[a-z-]+\)/gi, '')
    .replaceAll(/\(\?[a-z-]+:/gi, '(?:')
    .replaceAll(/([*+?}])\+/g, '$1');
}

/** Whether Kong could compile it; PCRE syntax is let pass in doubt. */
export function isRegex(source: string): boolean {
  if (LITERAL.test(source)) return true;
  try {
    return new RegExp(withoutPcreOnly(source)) instanceof RegExp;
  } catch {
    return false;
  }
}

/** What Kong would say against a route's path, or undefined. */
export function pathProblem(path: string): string | undefined {
  if (path.length > LONGEST_PATH) return `is longer than ${LONGEST_PATH} characters`;
  if (/[\p{Cc}\p{Cs}]/u.test(path)) return 'holds control characters';
  if (path.includes('//')) return 'has an empty segment';
  if (path.startsWith('~')) {
    if (!path.startsWith('~/')) return 'is a regular expression that does not start with "/"';
    return isRegex(path.slice(1)) ? undefined : 'is no regular expression that Kong can compile';
  }
  return path.startsWith('/') ? undefined : 'does not start with "/"';
}
