import type { TranslateOptions } from './types.ts';

/** What not every Kong has: the first version that has it, and whether only Enterprise does. */
const FEATURES = {
  redirectPlugin: { since: [3, 9], enterprise: false },
  stickySessions: { since: [3, 11], enterprise: true },
  webSockets: { since: [3, 0], enterprise: true },
  pluginOrdering: { since: [3, 0], enterprise: true },
  graphql: { since: [3, 0], enterprise: true },
} as const;

/** Whether the connected Kong has a feature. */
export function hasFeature(
  options: Pick<TranslateOptions, 'kongVersion' | 'kongEdition'>,
  feature: keyof typeof FEATURES,
): boolean {
  const { since, enterprise } = FEATURES[feature];
  if (enterprise && options.kongEdition !== 'enterprise') return false;
  const [major = 0, minor = 0] = options.kongVersion.split('.').map(Number);
  return major > since[0] || (major === since[0] && minor >= since[1]);
}

/** KIC's feature gates and their defaults, as far as translation asks for them. */
export const GATES: Readonly<Record<string, boolean>> = {
  GatewayAlpha: false,
  RewriteURIs: false,
  KongServiceFacade: false,
  KongCustomEntity: true,
  CombinedServicesFromDifferentHTTPRoutes: false,
};

/** Whether a feature gate is on. */
export function isEnabled(options: Pick<TranslateOptions, 'featureGates'>, gate: keyof typeof GATES): boolean {
  return options.featureGates[gate] ?? GATES[gate] ?? false;
}
