import type { Target, Upstream } from './configuration.ts';

/** Where one attempt connects to. */
export interface Peer {
  /** IP address or name. */
  readonly host: string;
  readonly port: number;
}

/** Chooses the targets of one upstream. */
export interface Balancer {
  readonly upstream: Upstream;
  /** Undefined when no target may take the request. */
  next(): Peer | undefined;
}

const DEFAULT_PORT = 8000;

/** Reads `host`, `host:port`, `[v6]` or `[v6]:port`; Kong's default port for a target is 8000. */
export function parseTarget(target: string): Peer {
  const [, v6, name, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(target) ?? [];
  return { host: v6 ?? name ?? target, port: port === undefined ? DEFAULT_PORT : Number(port) };
}

/** Smooth weighted round robin: n requests in a row are spread as the weights say; weight 0 takes none. */
export function createBalancer(upstream: Upstream): Balancer {
  const slots = upstream.targets
    .filter((target: Target) => target.weight > 0)
    .map((target) => ({ peer: parseTarget(target.target), weight: target.weight, current: 0 }));
  const total = slots.reduce((sum, slot) => sum + slot.weight, 0);
  return {
    upstream,
    next() {
      for (const slot of slots) slot.current += slot.weight;
      const best = slots.reduce<(typeof slots)[number] | undefined>(
        (winner, slot) => (winner === undefined || slot.current > winner.current ? slot : winner),
        undefined,
      );
      if (best === undefined) return undefined;
      best.current -= total;
      return best.peer;
    },
  };
}
