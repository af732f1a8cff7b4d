/** Whether a wildcard host (`*.example.com`) stands for another host, also one of more labels. */
function covers(wildcard: string, host: string): boolean {
  return wildcard.startsWith('*.') && host !== wildcard && host.endsWith(wildcard.slice(1));
}

/** What a listener's and a route's hostname have in common: the more specific one, or undefined (Gateway API). */
export function intersection(listener: string, route: string): string | undefined {
  if (listener === route || covers(listener, route)) return route;
  return covers(route, listener) ? listener : undefined;
}

/**
 * The hostnames of a route under the listeners that take it (KIC 2.4.1): `[]` for every host, undefined when none of
 * the route's hostnames is any listener's. A listener without hostname takes all.
 */
export function effectiveHostnames(
  listeners: readonly (string | undefined)[],
  route: readonly string[],
): readonly string[] | undefined {
  const open = listeners.some((hostname) => hostname === undefined || hostname === '');
  const named = listeners.flatMap((hostname) => (hostname === undefined || hostname === '' ? [] : [hostname]));
  if (route.length === 0) return open ? [] : [...new Set(named)];
  const common = route.flatMap((host) =>
    open ? [host] : named.flatMap((listener) => intersection(listener, host) ?? []),
  );
  return common.length === 0 ? undefined : [...new Set(common)];
}
