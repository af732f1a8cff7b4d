import type { Ingress, KubernetesObject } from '../kubernetes/resources.ts';
import { type Context, find } from './context.ts';

const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';
const DEFAULT_CLASS_ANNOTATION = 'ingressclass.kubernetes.io/is-default-class';

/** Whether our IngressClass is the cluster's default, so that objects without a class are ours. */
function isDefaultClass(context: Context): boolean {
  if (context.options.raw) return true;
  const ingressClass = find(context, 'IngressClass', '', context.options.ingressClass);
  return ingressClass?.metadata.annotations?.[DEFAULT_CLASS_ANNOTATION] === 'true';
}

/** Whether an object's class annotation makes it ours; without one the default class decides (KIC). */
export function hasOurClass(context: Context, object: KubernetesObject): boolean {
  const named = object.metadata.annotations?.[CLASS_ANNOTATION] ?? '';
  return named === '' ? isDefaultClass(context) : named === context.options.ingressClass;
}

/** Whether an Ingress is ours: the annotation, else `spec.ingressClassName`, else the default class (KIC). */
export function isOurIngress(context: Context, ingress: Ingress): boolean {
  const named = ingress.metadata.annotations?.[CLASS_ANNOTATION] ?? '';
  if (named !== '' || ingress.spec?.ingressClassName === undefined) return hasOurClass(context, ingress);
  return ingress.spec.ingressClassName === context.options.ingressClass;
}
