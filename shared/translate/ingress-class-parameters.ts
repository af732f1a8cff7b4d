import type { IngressClassParameters, KubernetesObject } from '../kubernetes/resources.ts';
import { type Context, find } from './context.ts';

const GROUP = 'configuration.konghq.com';

/** The parameters of our IngressClass, or undefined; KIC takes them only when they are named in full (KIC 2.17). */
export function classParameters(context: Context): IngressClassParameters | undefined {
  const ingressClass = find(context, 'IngressClass', '', context.options.ingressClass);
  const parameters = ingressClass?.spec?.parameters;
  if (ingressClass === undefined || parameters === undefined) return undefined;
  const usable = parameters.apiGroup === GROUP && parameters.kind === 'IngressClassParameters';
  if (!usable || parameters.scope !== 'Namespace' || parameters.namespace === undefined) {
    const detail = `spec.parameters is not a namespaced IngressClassParameters of ${GROUP}`;
    context.report(ingressClass, 'InvalidReference', detail);
    return undefined;
  }
  const found = find(context, 'IngressClassParameters', parameters.namespace, parameters.name);
  if (found === undefined) {
    const detail = `spec.parameters names IngressClassParameters ${parameters.namespace}/${parameters.name}, which does not exist`;
    context.report(ingressClass, 'InvalidReference', detail);
  }
  return found;
}

/** Whether a Service is used by its DNS name instead of its endpoints. */
export function serviceUpstream(context: Context, service: KubernetesObject): boolean {
  if (service.metadata.annotations?.['ingress.kubernetes.io/service-upstream'] === 'true') return true;
  return classParameters(context)?.spec?.serviceUpstream === true;
}
