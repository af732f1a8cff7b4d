import type { IngressPath } from '../kubernetes/resources.ts';

/** The controller's prefix that makes an Ingress path a regular expression, unless an annotation names another. */
export const REGEX_PREFIX = '/~';

export type PathType = NonNullable<IngressPath['pathType']>;

/** A path of an Ingress rule after clean-up: runs of `/` are one, empty is `/`. */
export interface RulePath {
  readonly path: string;
  readonly type: PathType;
}

/** Cleans a rule's path and fills in the type (KIC: ImplementationSpecific). */
export function rulePath(path: IngressPath): RulePath {
  const cleaned = (path.path ?? '').replaceAll(/\/{2,}/g, '/');
  return { path: cleaned === '' ? '/' : cleaned, type: path.pathType ?? 'ImplementationSpecific' };
}

export function trimSlashes(path: string): string {
  return path.replace(/^\/+/, '').replace(/\/+$/, '');
}

/** Kong paths of the traditional router (KIC 2.2.4); nothing is escaped, so a `.` stays a regex dot. */
function traditionalPaths({ path, type }: RulePath): readonly string[] {
  if (type === 'Prefix') {
    const base = trimSlashes(path);
    return base === '' ? ['/'] : [`/${base}/`, `~/${base}$`];
  }
  if (type === 'Exact') return [`~/${path.replace(/^\/+/, '')}$`];
  return [path];
}

const PLAIN_PATH = /^[a-zA-Z0-9.\-_~/%]*$/;

/** What turns an Ingress path into a regular expression. */
export interface RegexRules {
  /** `konghq.com/regex-prefix`; an empty one makes every path a regular expression (KIC). */
  readonly prefix: string;
  /** IngressClassParameters `enableLegacyRegexDetection`. */
  readonly legacyDetection: boolean;
}

function asRegex(path: string, rules: RegexRules): string {
  if (path.startsWith(rules.prefix)) return `~${path.slice(rules.prefix.length)}`;
  const legacy = rules.legacyDetection && !path.includes(rules.prefix) && !path.startsWith('~');
  return legacy && !PLAIN_PATH.test(path) ? `~${path}` : path;
}

/** The paths of a Kong route for one path of a rule. */
export function kongPaths(path: RulePath, rules: RegexRules): readonly string[] {
  return traditionalPaths(path).map((item) => asRegex(item, rules));
}
