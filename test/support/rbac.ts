import { parseAllDocuments } from 'yaml';
import { isRecord } from '../../shared/json.ts';
import { manifest } from './cluster-manifests.ts';

/** A request to an API server. */
interface Asked {
  readonly method: string;
  /** With its query. */
  readonly path: string;
}

const VERBS: Readonly<Record<string, string>> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };
/** What everybody who is authenticated may ask (`system:discovery`, `system:public-info-viewer`). */
const DISCOVERY = /^\/(?:api|apis|version|healthz|livez|readyz)$|^\/api\/v1$|^\/apis\/[^/]+(?:\/[^/]+)?$/;

/** What RBAC calls a request: `patch networking.k8s.io/ingresses/status`. Undefined for discovery. Pure. */
export function permissionOf({ method, path }: Asked): string | undefined {
  const url = new URL(path, 'http://api');
  if (method === 'GET' && DISCOVERY.test(url.pathname)) return undefined;
  const [, root, ...segments] = url.pathname.split('/');
  const group = root === 'api' ? '' : (segments[0] ?? '');
  const rest = segments.slice(root === 'api' ? 1 : 2);
  const inNamespace = rest[0] === 'namespaces' && rest.length > 2;
  const [resource = '', name, subresource] = inNamespace ? rest.slice(2) : rest;
  const reading = url.searchParams.get('watch') === 'true' ? 'watch' : name === undefined ? 'list' : 'get';
  const verb = method === 'GET' ? reading : VERBS[method];
  return `${verb ?? method} ${group}/${resource}${subresource === undefined ? '' : `/${subresource}`}`;
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** Everything that the ClusterRoles of a manifest allow, as `permissionOf` names it. */
export function allowedBy(file: string): ReadonlySet<string> {
  const documents = parseAllDocuments(manifest(file)).map((document): unknown => document.toJS());
  const roles = documents.filter(isRecord).filter((document) => document['kind'] === 'ClusterRole');
  const rules = roles.flatMap(({ rules: found }) => (Array.isArray(found) ? found.filter(isRecord) : []));
  return new Set(
    rules.flatMap((rule) =>
      texts(rule['verbs']).flatMap((verb) =>
        texts(rule['apiGroups']).flatMap((group) =>
          texts(rule['resources']).map((resource) => `${verb} ${group}/${resource}`),
        ),
      ),
    ),
  );
}
