import type { Configuration } from '../proxy/configuration.ts';
import { withoutEffect } from '../proxy/plugins/index.ts';

/** Gives a function that logs, once for each, the plugins of a configuration that the stand-in stores but does not run. */
export function unsupportedPlugins(log: (line: string) => void): (configuration: Configuration) => void {
  const told = new Set<string>();
  return ({ plugins }) => {
    for (const name of withoutEffect(plugins.map((plugin) => plugin.name))) {
      if (!told.has(name)) log(`the stand-in Kong does not run plugin ${name}: requests pass it unchanged`);
      told.add(name);
    }
  };
}
