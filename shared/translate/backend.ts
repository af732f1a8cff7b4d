import type { KongServiceFacade } from '../kubernetes/kong-resources.ts';
import type { IngressBackend, KubernetesObject, Service, ServicePort } from '../kubernetes/resources.ts';
import { type Context, find } from './context.ts';
import { portText } from './identity.ts';
import { withTlsPolicy } from './service-tls.ts';
import type { PlainBackend, PortRef } from './types.ts';

/** A Service behind a Kong service. */
export interface Backend extends PlainBackend {
  /** The KongServiceFacade that stands before the Service. */
  readonly facade?: KongServiceFacade;
}

/** A backend with what the cluster has for it. */
export interface ResolvedBackend {
  readonly backend: Backend;
  /** The Service with the annotations that count for this backend; undefined when it does not exist. */
  readonly service: Service | undefined;
  /** The object whose tags stand for the backend. */
  readonly owner: KubernetesObject | undefined;
  /** The Service's port; an ExternalName takes any number. */
  readonly port: ServicePort | undefined;
}

/** The port of an Ingress backend: by name before by number (KIC). */
export function ingressPort(backend: NonNullable<IngressBackend['service']>): PortRef {
  const { name, number } = backend.port ?? {};
  if (name !== undefined && name !== '') return { by: 'name', name };
  return number === undefined || number === 0 ? { by: 'implicit' } : { by: 'number', number };
}

/** The Service's port that a backend means, or undefined (KIC 2.3.3). */
export function findPort(service: Service, port: PortRef): ServicePort | undefined {
  const ports = service.spec?.ports ?? [];
  const external = service.spec?.type === 'ExternalName';
  if (port.by === 'number') {
    if (external) return { port: port.number, targetPort: port.number };
    return ports.find((candidate) => candidate.port === port.number);
  }
  if (external) return undefined;
  if (port.by === 'implicit') return ports.length === 1 ? ports[0] : undefined;
  return ports.find((candidate) => candidate.name === port.name || candidate.targetPort === port.name);
}

/** The Service as a facade shows it: the facade's annotations over the Service's own, key by key. */
function behindFacade(service: Service, facade: KongServiceFacade | undefined): Service {
  if (facade === undefined) return service;
  const annotations = { ...service.metadata.annotations, ...facade.metadata.annotations };
  return { ...service, metadata: { ...service.metadata, annotations } };
}

/** Whether a Gateway API backend named no port: KIC looks for -1 then, which no Service has. */
function isMissing(port: PortRef): boolean {
  return port.by === 'number' && port.number < 0;
}

/** Looks a backend up; what is missing is a finding on the root. */
export function resolveBackend(context: Context, backend: Backend): ResolvedBackend {
  const found = find(context, 'Service', backend.namespace, backend.name);
  const name = `${backend.namespace}/${backend.name}`;
  if (found === undefined) {
    context.report(context.root, 'ServiceNotFound', `backend Service ${name} does not exist`);
    return { backend, service: undefined, owner: undefined, port: undefined };
  }
  const service = withTlsPolicy(context, behindFacade(found, backend.facade));
  const port = findPort(service, backend.port);
  if (port === undefined) {
    const wanted = isMissing(backend.port) ? 'needs a port' : `has no port ${portText(backend.port)}`;
    context.report(context.root, 'PortNotFound', `backend Service ${name} ${wanted}`);
  }
  return { backend, service, owner: backend.facade ?? service, port };
}
