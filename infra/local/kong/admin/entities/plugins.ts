import type { JsonObject } from '../json.ts';
import { PLUGINS } from '../plugins/index.ts';
import type { PluginSchema } from '../plugins/plugin.ts';
import { boolean, foreign, id, name, oneOf, PROTOCOLS, setOf, string, tags, times } from '../schema/typedefs.ts';
import type { Fields, RecordSchema } from '../schema/types.ts';
import { define } from './definition.ts';
import type { Resolved } from './definition.ts';

const fields: Fields = {
  ...id,
  name: string({ required: true }),
  instance_name: name(),
  ...times,
  route: foreign('routes', { default: null, on_delete: 'cascade' }),
  service: foreign('services', { default: null, on_delete: 'cascade' }),
  consumer: foreign('consumers', { default: null, on_delete: 'cascade' }),
  config: { type: 'record', abstract: true },
  protocols: setOf(oneOf(PROTOCOLS), { required: true, default: ['grpc', 'grpcs', 'http', 'https'] }),
  enabled: boolean({ default: true, required: true }),
  tags,
};

/** The plugin's own schema by its name, undefined for a plugin that is not there. */
export function pluginSchema(pluginName: string): PluginSchema | undefined {
  return Object.hasOwn(PLUGINS, pluginName) ? PLUGINS[pluginName] : undefined;
}

function resolve(data: JsonObject): Resolved {
  const pluginName = data['name'];
  if (pluginName === undefined || pluginName === null) return { errors: { name: 'required field missing' } };
  if (typeof pluginName !== 'string') return { errors: { name: 'expected a string' } };
  const plugin = pluginSchema(pluginName);
  if (plugin === undefined) {
    return {
      errors: { name: `plugin '${pluginName}' not enabled; add it to the 'plugins' configuration property` },
    };
  }
  return { schema: withPlugin(plugin) };
}

function withPlugin(plugin: PluginSchema): RecordSchema {
  return { fields: { ...fields, ...plugin.fields }, entity_checks: plugin.entity_checks };
}

export const plugins = define({
  name: 'plugins',
  table: 'plugins',
  path: 'plugins',
  endpointKey: 'instance_name',
  cacheKey: ['name', 'route', 'service', 'consumer'],
  cacheKeyColumn: true,
  fields,
  resolve,
});
