import { createBalancer } from './balancer.ts';
import type { Balancer } from './balancer.ts';
import type { Configuration, Route, Upstream } from './configuration.ts';
import type { ProxyState } from './exchange.ts';
import { indexPlugins } from './plugins/scope.ts';
import { buildTraditionalRouter } from './traditional-router.ts';

/** Balancers by upstream name, each at the start of its round. */
export function balancersOf(upstreams: ReadonlyMap<string, Upstream>): ReadonlyMap<string, Balancer> {
  return new Map([...upstreams].map(([name, upstream]) => [name, createBalancer(upstream)]));
}

/** Everything that a worker rebuilds from a configuration. */
export function proxyStateOf(
  configuration: Configuration,
  onInvalid?: (route: Route, reason: string) => void,
): ProxyState {
  return {
    router: buildTraditionalRouter(configuration, onInvalid),
    plugins: indexPlugins(configuration.plugins),
    balancers: balancersOf(configuration.upstreams),
    configuration,
  };
}
