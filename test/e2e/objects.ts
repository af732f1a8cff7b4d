import type { KubernetesObject } from '@kubernetes/client-node';
import type { EndpointSlice, KubernetesObject as Typed } from '../../shared/kubernetes/resources.ts';
import { endpoints, INGRESS_CLASS, service } from '../support/manifests.ts';
import type { Lab } from './lab.ts';

/** Objects of the project's own types as the cluster's client takes them. */
export function manifests(...objects: readonly object[]): readonly KubernetesObject[] {
  const copies: readonly KubernetesObject[] = JSON.parse(JSON.stringify(objects));
  return copies;
}

/** An EndpointSlice of a Service whose endpoints listen on the port of the lab's backend. */
export function slice(lab: Lab, of: string, addresses: readonly string[] = ['127.0.0.1']): EndpointSlice {
  return { ...endpoints(of, addresses), ports: [{ port: lab.backend.port, protocol: 'TCP' }] };
}

/** A Service with one endpoint: the lab's backend. */
export function backed(lab: Lab, name: string): readonly Typed[] {
  return [service(name), slice(lab, name)];
}

/** The class and the Service `echo`, on which the tests' Ingresses stand. */
export function foundation(lab: Lab): readonly Typed[] {
  return [INGRESS_CLASS, ...backed(lab, 'echo')];
}
