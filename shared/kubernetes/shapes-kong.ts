import { type Shape, anything, flag, list, number, object, record, resource, text } from './shape.ts';

const JSON_OBJECT = record(anything);
const SECRET_KEY = object({ name: text, key: text, namespace: text }, 'name', 'key');

const PLUGIN = resource(
  {
    plugin: text,
    config: JSON_OBJECT,
    configFrom: object({ secretKeyRef: SECRET_KEY }),
    configPatches: list(
      object({ path: text, valueFrom: object({ secretKeyRef: SECRET_KEY }, 'secretKeyRef') }, 'path', 'valueFrom'),
    ),
    disabled: flag,
    protocols: list(text),
    ordering: JSON_OBJECT,
    instance_name: text,
  },
  'plugin',
);

const CONTROL_PLANE = object({ controlPlaneRef: object({ type: text }) });
const STREAM_BACKEND = object({ serviceName: text, servicePort: number }, 'serviceName', 'servicePort');
const HASH = object({ input: text, header: text, cookie: text, cookiePath: text, queryArg: text, uriCapture: text });

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
  TCPIngress: resource({
    spec: object({
      rules: list(object({ host: text, port: number, backend: STREAM_BACKEND }, 'port', 'backend')),
      tls: list(object({ hosts: list(text), secretName: text })),
    }),
  }),
  UDPIngress: resource({
    spec: object({ rules: list(object({ port: number, backend: STREAM_BACKEND }, 'port', 'backend')) }),
  }),
  KongUpstreamPolicy: resource({
    spec: object({
      algorithm: text,
      slots: number,
      hashOn: HASH,
      hashOnFallback: HASH,
      stickySessions: object({ cookie: text, cookiePath: text }),
      healthchecks: object({ active: JSON_OBJECT, passive: JSON_OBJECT, threshold: number }),
    }),
  }),
  KongVault: resource({
    spec: object(
      { backend: text, prefix: text, description: text, config: JSON_OBJECT, controlPlaneRef: object({ type: text }) },
      'backend',
      'prefix',
    ),
  }),
  KongLicense: resource({ rawLicenseString: text, enabled: flag }),
  KongCustomEntity: resource({
    spec: object(
      {
        type: text,
        controllerName: text,
        fields: JSON_OBJECT,
        parentRef: object({ group: text, kind: text, namespace: text, name: text }, 'name'),
      },
      'type',
    ),
  }),
  KongServiceFacade: resource({
    spec: object({ backendRef: object({ name: text, port: number }, 'name') }, 'backendRef'),
  }),
} satisfies Readonly<Record<string, Shape>>;
