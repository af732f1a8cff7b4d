import type { Plugin } from '../configuration.ts';

export interface Scope {
  readonly route: string;
  readonly service: string | undefined;
  readonly consumer: string | undefined;
}

/** Finds the configuration of a plugin that counts for a request. */
export interface PluginIndex {
  /** Names of all configured plugins. */
  readonly names: readonly string[];
  select(name: string, scope: Scope): Plugin | undefined;
}

const key = (name: string, route = '', service = '', consumer = ''): string =>
  [name, route, service, consumer].join(' ');

/** Which of a request's entities a plugin must name, the most specific combination first (Kong 3.9). */
const PRECEDENCE: readonly (readonly (keyof Scope)[])[] = [
  ['route', 'service', 'consumer'],
  ['route', 'consumer'],
  ['service', 'consumer'],
  ['route', 'service'],
  ['consumer'],
  ['route'],
  ['service'],
  [],
];

/** Indexes plugins by name and scope. */
export function indexPlugins(plugins: readonly Plugin[]): PluginIndex {
  const index = new Map(
    plugins.map((plugin) => [key(plugin.name, plugin.route, plugin.service, plugin.consumer), plugin]),
  );
  return {
    names: [...new Set(plugins.map((plugin) => plugin.name))],
    select(name, scope) {
      for (const parts of PRECEDENCE) {
        const [route, service, consumer] = (['route', 'service', 'consumer'] as const).map((part) =>
          parts.includes(part) ? scope[part] : undefined,
        );
        const found = index.get(key(name, route, service, consumer));
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}
