import type { Kind, KubernetesObject } from './resources.ts';
import {
  type Shape,
  anything,
  flag,
  list,
  number,
  numberOrText,
  object,
  oneOf,
  record,
  resource,
  text,
} from './shape.ts';
import { GATEWAY_SHAPES } from './shapes-gateway.ts';
import { KONG_SHAPES } from './shapes-kong.ts';

const INGRESS_BACKEND = object({
  service: object({ name: text, port: object({ name: text, number }) }, 'name'),
  resource: object({ apiGroup: text, kind: text, name: text }, 'kind', 'name'),
});

const INGRESS_PATH = object(
  { path: text, pathType: oneOf('Exact', 'Prefix', 'ImplementationSpecific'), backend: INGRESS_BACKEND },
  'backend',
);

const CORE_SHAPES = {
  Ingress: resource(
    {
      spec: object({
        ingressClassName: text,
        defaultBackend: INGRESS_BACKEND,
        tls: list(object({ hosts: list(text), secretName: text })),
        rules: list(object({ host: text, http: object({ paths: list(INGRESS_PATH) }) })),
      }),
    },
    'spec',
  ),
  IngressClass: resource({
    spec: object({
      controller: text,
      parameters: object({ apiGroup: text, kind: text, name: text, namespace: text, scope: text }, 'kind', 'name'),
    }),
  }),
  Service: resource({
    spec: object({
      type: text,
      externalName: text,
      clusterIP: text,
      ports: list(object({ name: text, port: number, protocol: text, targetPort: numberOrText }, 'port')),
    }),
  }),
  EndpointSlice: resource({
    addressType: text,
    endpoints: list(
      object(
        {
          addresses: list(text),
          conditions: object({ ready: flag, serving: flag, terminating: flag }),
          targetRef: anything,
        },
        'addresses',
      ),
    ),
    ports: list(object({ name: text, port: number, protocol: text })),
  }),
  Secret: resource({ type: text, data: record(text) }),
  ConfigMap: resource({ data: record(text) }),
};

const SHAPES: { readonly [K in Kind]: Shape } = { ...CORE_SHAPES, ...KONG_SHAPES, ...GATEWAY_SHAPES };

const checked = new WeakMap<KubernetesObject, { readonly problem: string | undefined }>();

/** What is wrong with the shape of an object of a known kind, or undefined. Never contains values of a Secret. */
export function shapeProblem(kind: Kind, candidate: KubernetesObject): string | undefined {
  const known = checked.get(candidate);
  if (known !== undefined) return known.problem;
  const misfit = SHAPES[kind](candidate);
  const problem =
    misfit === undefined ? undefined : `${misfit.path === '' ? 'the object' : misfit.path} ${misfit.problem}`;
  checked.set(candidate, { problem });
  return problem;
}
