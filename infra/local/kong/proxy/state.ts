import { createBalancer } from './balancer.ts';
import type { Balancer } from './balancer.ts';
import type { Configuration, Route, Upstream } from './configuration.ts';
import type { ProxyState } from './exchange.ts';
import { indexPlugins } from './plugins/scope.ts';
import type { Router } from './router.ts';
import { buildTraditionalRouter } from './traditional-router.ts';

/** Balancers by upstream name, each at the start of its round. */
export function balancersOf(upstreams: ReadonlyMap<string, Upstream>): ReadonlyMap<string, Balancer> {
  return new Map([...upstreams].map(([name, upstream]) => [name, createBalancer(upstream)]));
}

type OnInvalid = (route: Route, reason: string) => void;

const routers = new WeakMap<Configuration, Router>();

/** The router of a configuration. It holds no state, so workers that serve the same configuration share one. */
export function routerOf(configuration: Configuration, onInvalid?: OnInvalid): Router {
  const known = routers.get(configuration);
  if (known !== undefined) return known;
  const router = buildTraditionalRouter(configuration, onInvalid);
  routers.set(configuration, router);
  return router;
}

/** Everything that a worker rebuilds from a configuration. */
export function proxyStateOf(configuration: Configuration, onInvalid?: OnInvalid): ProxyState {
  return {
    router: routerOf(configuration, onInvalid),
    plugins: indexPlugins(configuration.plugins),
    balancers: balancersOf(configuration.upstreams),
    configuration,
  };
}
