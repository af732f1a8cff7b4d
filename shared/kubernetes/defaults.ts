import { type JsonRecord, isRecord } from '../json.ts';
import { KINDS } from './kinds.ts';
import type { Kind } from './resources.ts';

type Fill = (spec: JsonRecord) => JsonRecord;

/** A field's value with its objects filled in one by one; what is no list stays as it is. */
function each(value: unknown, fill: Fill): unknown {
  return Array.isArray(value) ? value.map((item: unknown) => (isRecord(item) ? fill(item) : item)) : value;
}

/** Replaces fields that are there. */
function mapped(record: JsonRecord, changes: { readonly [field: string]: (value: unknown) => unknown }): JsonRecord {
  const changed = { ...record };
  for (const [field, change] of Object.entries(changes)) {
    if (changed[field] !== undefined) changed[field] = change(changed[field]);
  }
  return changed;
}

const inSpec =
  (fill: Fill) =>
  (object: JsonRecord): JsonRecord =>
    mapped(object, { spec: (spec) => (isRecord(spec) ? fill(spec) : spec) });

const service: Fill = inSpec((spec) =>
  mapped(
    { type: 'ClusterIP', ...spec },
    {
      ports: (ports) => each(ports, (port) => ({ protocol: 'TCP', targetPort: port['port'], ...port })),
    },
  ),
);

/** `stringData` becomes `data`, as the API server does on a write. */
const secret: Fill = ({ stringData, ...object }) => {
  if (!isRecord(stringData)) return object;
  const encoded = Object.entries(stringData).map(([key, value]) => [
    key,
    Buffer.from(String(value)).toString('base64'),
  ]);
  return { ...object, data: { ...(isRecord(object['data']) ? object['data'] : {}), ...Object.fromEntries(encoded) } };
};

const GATEWAY_GROUP = 'gateway.networking.k8s.io';
const ANY_PATH = { path: { type: 'PathPrefix', value: '/' } };

const filter: Fill = (item) =>
  mapped(item, { requestRedirect: (redirect) => (isRecord(redirect) ? { statusCode: 302, ...redirect } : redirect) });

const match: Fill = (item) =>
  mapped({ ...ANY_PATH, ...item }, { path: (path) => (isRecord(path) ? { ...ANY_PATH.path, ...path } : path) });

const grpcMatch: Fill = (item) =>
  mapped(item, { method: (method) => (isRecord(method) ? { type: 'Exact', ...method } : method) });

const backendRef: Fill = (ref) => ({ group: '', kind: 'Service', weight: 1, ...ref });

/** A route's rules; `rule` adds what only the kind's own rules have. */
function route(rule: Fill): Fill {
  return inSpec((spec) =>
    mapped(spec, {
      parentRefs: (refs) => each(refs, (ref) => ({ group: GATEWAY_GROUP, kind: 'Gateway', ...ref })),
      rules: (rules) =>
        each(rules, (item) =>
          mapped(rule(item), {
            backendRefs: (refs) => each(refs, backendRef),
            filters: (filters) => each(filters, filter),
          }),
        ),
    }),
  );
}

const httpRoute = route((rule) =>
  mapped({ matches: [ANY_PATH], ...rule }, { matches: (matches) => each(matches, match) }),
);

const grpcRoute = route((rule) => mapped(rule, { matches: (matches) => each(matches, grpcMatch) }));

function listenerTls(tls: unknown): unknown {
  if (!isRecord(tls)) return tls;
  return mapped(
    { mode: 'Terminate', ...tls },
    { certificateRefs: (refs) => each(refs, (ref) => ({ group: '', kind: 'Secret', ...ref })) },
  );
}

const listener: Fill = (item) => {
  const allowed = isRecord(item['allowedRoutes']) ? item['allowedRoutes'] : {};
  const namespaces = isRecord(allowed['namespaces']) ? allowed['namespaces'] : {};
  const allowedRoutes = { ...allowed, namespaces: { from: 'Same', ...namespaces } };
  return mapped({ ...item, allowedRoutes }, { tls: listenerTls });
};

const gateway: Fill = inSpec((spec) => mapped(spec, { listeners: (listeners) => each(listeners, listener) }));

const FILLS: { readonly [K in Kind]?: Fill } = {
  Service: service,
  Secret: secret,
  Gateway: gateway,
  HTTPRoute: httpRoute,
  GRPCRoute: grpcRoute,
  TCPRoute: route((rule) => rule),
  UDPRoute: route((rule) => rule),
  TLSRoute: route((rule) => rule),
  KongLicense: (object) => ({ enabled: true, ...object }),
};

/** A file's object with what an API server would fill in when it is created: the namespace and the kind's defaults. */
export function withDefaults(kind: Kind, value: JsonRecord): JsonRecord {
  const filled = FILLS[kind]?.(value) ?? value;
  const { metadata } = filled;
  if (!KINDS[kind].namespaced || !isRecord(metadata)) return filled;
  return { ...filled, metadata: { namespace: 'default', ...metadata } };
}
