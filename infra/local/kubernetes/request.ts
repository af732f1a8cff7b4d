import { pathNotFound } from './status.ts';

/** A request to a resource path, taken apart. */
export interface ResourcePath {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  /** `''` for cluster-scoped objects and for all namespaces. */
  readonly namespace: string;
  /** `''` for a collection. */
  readonly name: string;
  /** `''` or `status`, `finalize`, … */
  readonly subresource: string;
}

/** Takes `/api/v1/…` and `/apis/<group>/<version>/…` apart. Throws a 404 Status for anything else. */
export function parsePath(pathname: string): ResourcePath {
  const [root, ...segments] = pathname.split('/').slice(1).map(decodeURIComponent);
  const prefix = root === 'api' ? 1 : 2;
  if ((root !== 'api' && root !== 'apis') || segments.length <= prefix || segments.includes('')) throw pathNotFound();
  const group = root === 'api' ? '' : (segments[0] ?? '');
  const version = segments[prefix - 1] ?? '';
  const rest = segments.slice(prefix);
  const inNamespace = rest[0] === 'namespaces' && rest.length > 2 && !isNamespaceSubresource(rest);
  const namespace = inNamespace ? (rest[1] ?? '') : '';
  const [plural = '', name = '', subresource = '', ...more] = inNamespace ? rest.slice(2) : rest;
  if (more.length > 0) throw pathNotFound();
  return { group, version, plural, namespace, name, subresource };
}

function isNamespaceSubresource(rest: readonly string[]): boolean {
  return rest.length === 3 && (rest[2] === 'status' || rest[2] === 'finalize');
}

/** What an `Accept` header asks for, as far as answers differ. */
export type Representation = 'object' | 'table' | 'metadata';

/** The first form in the `Accept` header that the server has; undefined when there is none (406). */
export function representation(accept: string | undefined): Representation | undefined {
  for (const part of (accept ?? '*/*').split(',')) {
    const [type = '', ...parameters] = part.split(';').map((item) => item.trim());
    if (type !== 'application/json' && type !== '*/*' && type !== 'application/*') continue;
    const as = parameters.find((item) => item.startsWith('as='))?.slice(3);
    if (as === undefined) return 'object';
    if (as === 'Table') return 'table';
    if (as.startsWith('PartialObjectMetadata')) return 'metadata';
  }
  return undefined;
}

/** Whether the `Accept` header names this `as=` form of application/json before plain JSON. */
export function prefersForm(accept: string | undefined, form: string, version: string): boolean {
  for (const part of (accept ?? '').split(',')) {
    const items = part.split(';').map((item) => item.trim());
    if (items[0] !== 'application/json') continue;
    if (items.length === 1) return false;
    if (items.includes(`as=${form}`) && items.includes(`v=${version}`)) return true;
  }
  return false;
}

/** The boolean query parameters of the API: `true` and `1` are true. */
export function flag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value === 'true' || value === '1';
}
