import { type Shape, anything, flag, list, number, object, oneOf, record, resource, text } from './shape.ts';

const JSON_OBJECT = record(anything);
const SECRET_KEY = object({ name: text, key: text, namespace: text }, 'name', 'key');

const PROTOCOL = oneOf('http', 'https', 'grpc', 'grpcs', 'tcp', 'tls', 'tls_passthrough', 'udp', 'ws', 'wss');

const PLUGIN = resource(
  {
    plugin: text,
    config: JSON_OBJECT,
    configFrom: object({ secretKeyRef: SECRET_KEY }),
    configPatches: list(
      object({ path: text, valueFrom: object({ secretKeyRef: SECRET_KEY }, 'secretKeyRef') }, 'path', 'valueFrom'),
    ),
    disabled: flag,
    protocols: list(PROTOCOL),
    ordering: JSON_OBJECT,
    instance_name: text,
  },
  'plugin',
);

const CONTROL_PLANE = object({ controlPlaneRef: object({ type: text }) });
const STREAM_BACKEND = object({ serviceName: text, servicePort: number }, 'serviceName', 'servicePort');
const HASH = object({
  input: oneOf('ip', 'consumer', 'path', 'none'),
  header: text,
  cookie: text,
  cookiePath: text,
  queryArg: text,
  uriCapture: text,
});
const ALGORITHM = oneOf('round-robin', 'consistent-hashing', 'least-connections', 'latency', 'sticky-sessions');

/** Shapes of Kong's custom resources. */
export const KONG_SHAPES = {
  IngressClassParameters: resource({ spec: object({ serviceUpstream: flag, enableLegacyRegexDetection: flag }) }),
  KongPlugin: PLUGIN,
  KongClusterPlugin: PLUGIN,
  KongConsumer: resource({
    username: text,
    custom_id: text,
    credentials: list(text),
    consumerGroups: list(text),
    spec: CONTROL_PLANE,
  }),
  KongConsumerGroup: resource({ spec: CONTROL_PLANE }),
  KongIngress: resource({ upstream: JSON_OBJECT }),
  TCPIngress: resource(
    {
      spec: object({
        rules: list(object({ host: text, port: number, backend: STREAM_BACKEND }, 'port', 'backend')),
        tls: list(object({ hosts: list(text), secretName: text })),
      }),
    },
    'spec',
  ),
  UDPIngress: resource(
    {
      spec: object({ rules: list(object({ port: number, backend: STREAM_BACKEND }, 'port', 'backend')) }),
    },
    'spec',
  ),
  KongUpstreamPolicy: resource({
    spec: object({
      algorithm: ALGORITHM,
      slots: number,
      hashOn: HASH,
      hashOnFallback: HASH,
      stickySessions: object({ cookie: text, cookiePath: text }),
      healthchecks: object({ active: JSON_OBJECT, passive: JSON_OBJECT, threshold: number }),
    }),
  }),
  KongVault: resource(
    {
      spec: object(
        {
          backend: text,
          prefix: text,
          description: text,
          config: JSON_OBJECT,
          controlPlaneRef: object({ type: text }),
        },
        'backend',
        'prefix',
      ),
    },
    'spec',
  ),
  KongLicense: resource({ rawLicenseString: text, enabled: flag }, 'rawLicenseString'),
  KongCustomEntity: resource(
    {
      spec: object(
        {
          type: text,
          controllerName: text,
          fields: JSON_OBJECT,
          parentRef: object({ group: text, kind: text, namespace: text, name: text }, 'name'),
        },
        'type',
      ),
    },
    'spec',
  ),
  KongServiceFacade: resource(
    {
      spec: object({ backendRef: object({ name: text, port: number }, 'name') }, 'backendRef'),
    },
    'spec',
  ),
} satisfies Readonly<Record<string, Shape>>;
