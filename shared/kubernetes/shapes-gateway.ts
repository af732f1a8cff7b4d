import { type Shape, anything, list, number, object, oneOf, record, resource, text } from './shape.ts';

const SELECTOR = object({
  matchLabels: record(text),
  matchExpressions: list(object({ key: text, operator: text, values: list(text) }, 'key', 'operator')),
});

const LISTENER = object(
  {
    name: text,
    protocol: text,
    port: number,
    hostname: text,
    tls: object({
      mode: text,
      certificateRefs: list(object({ group: text, kind: text, namespace: text, name: text }, 'name')),
    }),
    allowedRoutes: object({
      namespaces: object({ from: text, selector: SELECTOR }),
      kinds: list(object({ group: text, kind: text }, 'kind')),
    }),
  },
  'name',
  'protocol',
  'port',
);

const PARENT_REF = object(
  { group: text, kind: text, namespace: text, name: text, sectionName: text, port: number },
  'name',
);

const HEADER_VALUES = list(object({ name: text, value: text }, 'name', 'value'));
const HEADER_MODIFIER = object({ set: HEADER_VALUES, add: HEADER_VALUES, remove: list(text) });
const PATH_MODIFIER = object(
  { type: oneOf('ReplaceFullPath', 'ReplacePrefixMatch'), replaceFullPath: text, replacePrefixMatch: text },
  'type',
);

const FILTERS = list(
  object(
    {
      type: text,
      requestHeaderModifier: HEADER_MODIFIER,
      responseHeaderModifier: HEADER_MODIFIER,
      requestRedirect: object({ scheme: text, hostname: text, path: PATH_MODIFIER, port: number, statusCode: number }),
      urlRewrite: object({ hostname: text, path: PATH_MODIFIER }),
      extensionRef: object({ group: text, kind: text, name: text }, 'group', 'kind', 'name'),
    },
    'type',
  ),
);

const BACKEND_REFS = list(
  object(
    { group: text, kind: text, namespace: text, name: text, port: number, weight: number, filters: FILTERS },
    'name',
  ),
);

/** How a header or query parameter, or a gRPC method, is compared. */
const COMPARISON = oneOf('Exact', 'RegularExpression');
const VALUE_MATCHES = list(object({ type: COMPARISON, name: text, value: text }, 'name', 'value'));

const METHOD = oneOf('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH');

function route(rule: { readonly [field: string]: Shape }): Shape {
  const spec = object({
    parentRefs: list(PARENT_REF),
    hostnames: list(text),
    rules: list(object({ name: text, backendRefs: BACKEND_REFS, ...rule })),
  });
  const status = object({ parents: list(object({ parentRef: PARENT_REF }, 'parentRef')) });
  return resource({ spec, status }, 'spec');
}

/** Shapes of the Gateway API's resources. */
export const GATEWAY_SHAPES = {
  GatewayClass: resource({ spec: object({ controllerName: text }, 'controllerName') }, 'spec'),
  Gateway: resource({ spec: object({ gatewayClassName: text, listeners: list(LISTENER) }) }, 'spec'),
  HTTPRoute: route({
    matches: list(
      object({
        path: object({ type: oneOf('Exact', 'PathPrefix', 'RegularExpression'), value: text }),
        headers: VALUE_MATCHES,
        queryParams: VALUE_MATCHES,
        method: METHOD,
      }),
    ),
    filters: FILTERS,
    timeouts: object({ request: text, backendRequest: text }),
  }),
  GRPCRoute: route({
    matches: list(
      object({ method: object({ type: COMPARISON, service: text, method: text }), headers: VALUE_MATCHES }),
    ),
    filters: FILTERS,
  }),
  TCPRoute: route({}),
  UDPRoute: route({}),
  TLSRoute: route({}),
  ReferenceGrant: resource(
    {
      spec: object({
        from: list(object({ group: text, kind: text, namespace: text }, 'group', 'kind', 'namespace')),
        to: list(object({ group: text, kind: text, name: text }, 'group', 'kind')),
      }),
    },
    'spec',
  ),
  BackendTLSPolicy: resource(
    {
      spec: object({
        targetRefs: list(object({ group: text, kind: text, name: text, sectionName: text }, 'kind', 'name')),
        validation: object({
          hostname: text,
          caCertificateRefs: list(object({ group: text, kind: text, name: text }, 'kind', 'name')),
          wellKnownCACertificates: text,
          subjectAltNames: list(anything),
        }),
        options: record(text),
      }),
    },
    'spec',
  ),
  Namespace: resource({}),
} satisfies Readonly<Record<string, Shape>>;
