import { randomBytes } from 'node:crypto';
import { authenticationPlugins } from './authentication.ts';
import { LOGGING_PLUGINS } from './logging.ts';
import { OBSERVABILITY_PLUGINS } from './observability.ts';
import type { PluginSchema } from './plugin.ts';
import { TRAFFIC_PLUGINS } from './traffic.ts';
import { TRANSFORMATION_PLUGINS } from './transformation.ts';

/** The plugins that are "enabled", by name. */
export const PLUGINS: Readonly<Record<string, PluginSchema>> = {
  ...authenticationPlugins(randomBytes(33).toString('base64url')),
  ...TRAFFIC_PLUGINS,
  ...TRANSFORMATION_PLUGINS,
  ...LOGGING_PLUGINS,
  ...OBSERVABILITY_PLUGINS,
};
