import { isEnabled } from '../translate/kong-features.ts';
import type { TranslateOptions } from '../translate/types.ts';

/** What of the Gateway API is translated, by the names of its conformance tests, in order. */
export function supportedFeatures(options: Pick<TranslateOptions, 'featureGates' | 'routerFlavor'>): readonly string[] {
  const always = [
    'GRPCRoute',
    'Gateway',
    'HTTPRoute',
    'HTTPRouteBackendTimeout',
    'HTTPRouteHostRewrite',
    'HTTPRouteMethodMatching',
    'HTTPRoutePathRewrite',
    'HTTPRouteResponseHeaderModification',
    'ReferenceGrant',
  ];
  const expressions = options.routerFlavor === 'expressions' ? ['HTTPRouteQueryParamMatching'] : [];
  const alpha = isEnabled(options, 'GatewayAlpha') ? ['BackendTLSPolicy', 'TCPRoute', 'TLSRoute', 'UDPRoute'] : [];
  return [...always, ...expressions, ...alpha].toSorted();
}
