import { parse } from 'yaml';
import { isRecord } from '../json.ts';
import type { Json } from '../kong/entities.ts';
import type { PluginFields, SecretKeyRef } from '../kubernetes/kong-resources.ts';
import type { KubernetesObject } from '../kubernetes/resources.ts';
import { type Context, find } from './context.ts';
import { secretText } from './secret.ts';

/** A plugin's configuration. */
export type Config = { readonly [field: string]: Json };

/** Why a configuration cannot be made: never quotes what a Secret holds. */
class ConfigProblem extends Error {}

function isJson(value: unknown): value is Json {
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return true;
  if (Array.isArray(value)) return value.every(isJson);
  return isRecord(value) && Object.values(value).every(isJson);
}

function isConfig(value: unknown): value is Config {
  return isRecord(value) && isJson(value);
}

function secretValue(context: Context, plugin: KubernetesObject, ref: SecretKeyRef, field: string): string {
  const namespace = plugin.kind === 'KongClusterPlugin' ? ref.namespace : plugin.metadata.namespace;
  if (namespace === undefined) throw new ConfigProblem(`${field}.namespace is missing`);
  const secret = find(context, 'Secret', namespace, ref.name);
  if (secret === undefined)
    throw new ConfigProblem(`${field} names Secret ${namespace}/${ref.name}, which does not exist`);
  const text = secretText(secret, ref.key);
  if (text === undefined)
    throw new ConfigProblem(`${field} names key ${ref.key}, which Secret ${namespace}/${ref.name} lacks`);
  return text;
}

function parsed(text: string, parser: (text: string) => unknown): unknown {
  try {
    return parser(text);
  } catch {
    // The parser's message quotes the text, which is secret.
    return undefined;
  }
}

/** The Secret's value as JSON, else as YAML (KIC 2.9.3). */
function configFromSecret(context: Context, plugin: KubernetesObject, ref: SecretKeyRef): Config {
  const text = secretValue(context, plugin, ref, 'configFrom.secretKeyRef');
  const config = parsed(text, JSON.parse) ?? parsed(text, (yaml) => parse(yaml, { logLevel: 'error' }));
  if (!isConfig(config))
    throw new ConfigProblem('configFrom.secretKeyRef names a value that is no JSON or YAML object');
  return config;
}

/** The reference tokens of a JSON pointer (RFC 6901); undefined when it is none. */
function pointerTokens(path: string): readonly string[] | undefined {
  if (path === '') return [];
  if (!path.startsWith('/')) return undefined;
  return path
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function addToList(list: readonly Json[], token: string, rest: readonly string[], value: Json): Json | undefined {
  const index = token === '-' ? list.length : Number(token);
  if (!Number.isInteger(index) || index < 0 || index > list.length) return undefined;
  if (rest.length === 0) return list.toSpliced(index, 0, value);
  const changed = index < list.length ? addAt(list[index], rest, value) : undefined;
  return changed === undefined ? undefined : list.with(index, changed);
}

/** RFC 6902 `add` that makes missing parents; undefined when the path leads nowhere. */
function addAt(root: Json | undefined, tokens: readonly string[], value: Json): Json | undefined {
  const [token, ...rest] = tokens;
  if (token === undefined) return value;
  if (Array.isArray(root)) return addToList(root, token, rest, value);
  const base = root ?? {};
  if (!isConfig(base)) return undefined;
  const changed = addAt(Object.hasOwn(base, token) ? base[token] : undefined, rest, value);
  return changed === undefined ? undefined : { ...base, [token]: changed };
}

function patched(context: Context, plugin: KubernetesObject & PluginFields, base: Config): Config {
  let config: Json = base;
  for (const [index, { path, valueFrom }] of (plugin.configPatches ?? []).entries()) {
    const field = `configPatches[${index}]`;
    const text = secretValue(context, plugin, valueFrom.secretKeyRef, `${field}.valueFrom.secretKeyRef`);
    const value = parsed(text, JSON.parse);
    if (!isJson(value)) throw new ConfigProblem(`${field} takes its value from a Secret that holds no JSON`);
    const tokens = pointerTokens(path);
    const changed: Json | undefined = tokens === undefined ? undefined : addAt(config, tokens, value);
    if (changed === undefined) throw new ConfigProblem(`${field}.path leads nowhere in the configuration`);
    config = changed;
  }
  if (!isConfig(config)) throw new ConfigProblem('configPatches make the configuration something else than an object');
  return config;
}

function isEmpty(config: Config | undefined): boolean {
  return config === undefined || Object.keys(config).length === 0;
}

/**
 * A plugin's configuration from `config`, `configFrom` and `configPatches` (KIC 2.9.3): undefined when it has none,
 * `'invalid'`, with a finding on the plugin, when it cannot be made.
 */
export function pluginConfig(
  context: Context,
  plugin: KubernetesObject & PluginFields,
): Config | undefined | 'invalid' {
  const ref = plugin.configFrom?.secretKeyRef;
  try {
    if (ref !== undefined && !isEmpty(plugin.config)) throw new ConfigProblem('config and configFrom are both set');
    if (ref !== undefined) return configFromSecret(context, plugin, ref);
    if (plugin.configPatches !== undefined) return patched(context, plugin, plugin.config ?? {});
    return plugin.config;
  } catch (error) {
    if (!(error instanceof ConfigProblem)) throw error;
    context.report(plugin, 'InvalidPluginConfig', error.message);
    return 'invalid';
  }
}
