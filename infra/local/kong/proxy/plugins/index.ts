import type { Exchange, Reply } from '../exchange.ts';
import type { Row } from '../rows.ts';
import { correlationId } from './correlation-id.ts';
import type { PluginHandler, ResponseHead } from './handler.ts';
import { keyAuth } from './key-auth.ts';
import { redirect } from './redirect.ts';
import { requestTermination } from './request-termination.ts';
import { requestTransformer } from './request-transformer.ts';
import { responseTransformer } from './response-transformer.ts';

/** Plugins that the stand-in runs; others are stored but have no effect. */
export const PLUGINS: Readonly<Record<string, PluginHandler>> = {
  'correlation-id': correlationId,
  'key-auth': keyAuth,
  redirect,
  'request-termination': requestTermination,
  'request-transformer': requestTransformer,
  'response-transformer': responseTransformer,
};

/** Names of configured plugins that have no effect here. */
export function withoutEffect(names: Iterable<string>): readonly string[] {
  return [...new Set(names)].filter((name) => !Object.hasOwn(PLUGINS, name));
}

/** A plugin that takes part in a request, with the configuration that counts for it. */
export interface ActivePlugin {
  readonly handler: PluginHandler;
  readonly config: Row;
}

/** Runs the access phase. After a reply the remaining plugins only see the response, as in Kong. */
export async function runAccess(exchange: Exchange): Promise<{ active: readonly ActivePlugin[]; reply?: Reply }> {
  const { plugins } = exchange.state;
  const handlers = plugins.names
    .flatMap((name) => {
      const handler = PLUGINS[name];
      return handler === undefined ? [] : [{ name, handler }];
    })
    .toSorted((a, b) => b.handler.priority - a.handler.priority);
  const active: ActivePlugin[] = [];
  let reply: Reply | undefined;
  for (const { name, handler } of handlers) {
    const { route, service } = exchange.match;
    const scope = { route: route.id, service: service?.id, consumer: exchange.consumer?.id };
    const plugin = plugins.select(name, scope);
    if (plugin === undefined) continue;
    active.push({ handler, config: plugin.config });
    reply ??= await handler.access?.(plugin.config, exchange);
  }
  return reply === undefined ? { active } : { active, reply };
}

/** Runs the header phase, then gives what has to be done to the body; undefined when it may stream. */
export function runResponse(
  active: readonly ActivePlugin[],
  exchange: Exchange,
  head: ResponseHead,
): ((body: Buffer) => Buffer) | undefined {
  for (const [name, values] of exchange.responseHeaders) head.headers.set(name, values);
  for (const { handler, config } of active) handler.header?.(config, exchange, head);
  const steps = active.flatMap(({ handler, config }) => handler.body?.(config, exchange, head) ?? []);
  if (steps.length === 0) return undefined;
  return (body) => steps.reduce((current, step) => step(current), body);
}
