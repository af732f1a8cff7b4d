import { type Reason, finding, refOf } from '../findings.ts';
import { isResource } from '../kubernetes/object.ts';
import type { HTTPRoute } from '../kubernetes/gateway-resources.ts';
import type { KubernetesObject } from '../kubernetes/resources.ts';
import type { Finding } from '../translate/types.ts';

type Remark = readonly [reason: Reason, detail: string];

/** What stands in for a deprecated kind. */
const REPLACED: Readonly<Record<string, string>> = {
  TCPIngress: 'a TCPRoute or TLSRoute replaces it',
  UDPIngress: 'a UDPRoute replaces it',
  KongIngress: 'a KongUpstreamPolicy and annotations of the Service replace it',
};

function deprecations({ kind, metadata }: KubernetesObject): readonly Remark[] {
  const replaced = REPLACED[kind];
  const override = kind === 'Service' ? metadata.annotations?.['konghq.com/override'] : undefined;
  return [
    ...(replaced === undefined ? [] : [['Deprecated', `kind ${kind} is deprecated, ${replaced}`] as const]),
    ...(override === undefined
      ? []
      : [
          [
            'Deprecated',
            'annotation konghq.com/override is deprecated, konghq.com/upstream-policy replaces it',
          ] as const,
        ]),
  ];
}

/** Parts of a KongIngress that Kong Ingress Controller has stopped reading. */
function ignoredParts(object: KubernetesObject): readonly Remark[] {
  if (object.kind !== 'KongIngress') return [];
  return ['proxy', 'route']
    .filter((field) => Object.hasOwn(object, field))
    .map((field) => ['UnsupportedField', `${field} has no effect any more`] as const);
}

/** Rules of one route that Kong Ingress Controller refuses although each could be translated (KIC §1.7). */
function httpRouteRemarks(route: HTTPRoute): readonly Remark[] {
  const rules = route.spec?.rules ?? [];
  const timeouts = new Set(rules.map((rule) => rule.timeouts?.backendRequest ?? ''));
  const filtered = rules.flatMap((rule, index) =>
    (rule.backendRefs ?? []).flatMap(({ filters = [] }, place) =>
      filters.length === 0 ? [] : [`spec.rules[${index}].backendRefs[${place}].filters`],
    ),
  );
  return [
    ...filtered.map((field) => ['UnsupportedFilter', `${field} has no counterpart in Kong`] as const),
    ...(timeouts.size > 1
      ? [
          [
            'InvalidObject',
            'spec.rules have different timeouts.backendRequest, and Kong takes one for all of them',
          ] as const,
        ]
      : []),
  ];
}

/** What can be said about an object of our own from it alone, and that its translation does not say. Pure. */
export function kindFindings(cluster: string, object: KubernetesObject): readonly Finding[] {
  const remarks = [
    ...deprecations(object),
    ...ignoredParts(object),
    ...(isResource('HTTPRoute', object) ? httpRouteRemarks(object) : []),
  ];
  return remarks.map(([reason, detail]) => finding(refOf(cluster, object), reason, detail));
}
