import { type AdmissionTools, admit } from '../../shared/admission/admit.ts';
import { actualState } from '../../shared/kong/actual.ts';
import { keyOf } from '../../shared/kubernetes/keys.ts';
import { KINDS, apiVersionOf, isKind } from '../../shared/kubernetes/kinds.ts';
import type { KubernetesObject } from '../../shared/kubernetes/resources.ts';
import type { TranslateOptions } from '../../shared/translate/types.ts';
import { admissionAnswer } from '../../shared/webhook/admission.ts';
import { judged, type FailureMode } from '../../shared/webhook/judge.ts';
import { readHints } from '../../shared/webhook/read.ts';
import { ALLOWED, type Verdict } from '../../shared/webhook/verdict.ts';
import type { ControlPlane } from '../support/control-plane.ts';
import { RECEIPT, review } from '../webhook/payloads.ts';

/** Manifests as they are written: any fields beside the metadata. */
export type Manifest = KubernetesObject & Readonly<Record<string, unknown>>;

/** A manifest of a kind, in the version that the functions name it by. */
export function manifest(kind: keyof typeof KINDS, name: string, fields: object = {}, metadata: object = {}): Manifest {
  const { group, version, namespaced } = KINDS[kind];
  return {
    apiVersion: apiVersionOf(group, version),
    kind,
    metadata: { name, ...(namespaced ? { namespace: 'default' } : {}), ...metadata },
    ...fields,
  };
}

/** Of class kong. */
export const OURS = { annotations: { 'kubernetes.io/ingress.class': 'kong' } };

/** The tools of a judge beside a control plane; the index counts as long as a slice has made it. */
export function toolsFor(plane: ControlPlane, options: Partial<TranslateOptions> = {}, indexed = true): AdmissionTools {
  const { dependencies } = plane;
  return {
    cluster: dependencies.options.cluster,
    index: indexed ? dependencies.statePool : undefined,
    actual: actualState(dependencies.kongPool, dependencies.kong),
    filterTags: dependencies.kong.filterTags,
    kubernetes: dependencies.kubernetes,
    admin: dependencies.admin,
    options: { ...dependencies.options, ...options },
  };
}

/** The body that an API server sends for a create, or an update when there is something `before`. */
export function reviewOf(object: Manifest, before?: Manifest, more: object = {}): Record<string, unknown> {
  if (!isKind(object.kind)) throw new TypeError(`${object.kind} is no kind that is known`);
  const { group, plural } = KINDS[object.kind];
  const version = object.apiVersion.split('/').at(-1);
  const kind = { group, version, kind: object.kind };
  const resource = { group, version, resource: plural };
  return review({
    kind,
    resource,
    requestKind: kind,
    requestResource: resource,
    name: object.metadata.name,
    namespace: object.metadata.namespace ?? '',
    operation: before === undefined ? 'CREATE' : 'UPDATE',
    object,
    oldObject: before ?? null,
    ...more,
  });
}

/** The verdict on a review, by way of its JSON; ALLOWED where nothing is judged. */
export async function judgeReview(
  body: object,
  tools: AdmissionTools,
  mode: FailureMode = 'open',
): Promise<Verdict & { readonly answer: object }> {
  const json: unknown = JSON.parse(JSON.stringify(body));
  const { review: asked } = readHints({}, { mediaType: 'application/json', json }, RECEIPT);
  if (asked === undefined) throw new TypeError('the body is no review');
  const verdict =
    asked.write === undefined ? ALLOWED : await judged(asked.write, (write) => admit(write, tools), mode, 20_000);
  return { ...verdict, answer: admissionAnswer(asked, verdict) };
}

/** Stores objects in the cluster in memory. */
export function store(plane: ControlPlane, ...objects: readonly Manifest[]): void {
  for (const object of objects) plane.cluster.put(object);
}

/** An object as it is stored. */
export function stored(plane: ControlPlane, object: Manifest): Manifest {
  const found = plane.cluster.get(keyOf(object));
  if (found === undefined) throw new TypeError(`${keyOf(object)} is not stored`);
  return { ...found };
}
