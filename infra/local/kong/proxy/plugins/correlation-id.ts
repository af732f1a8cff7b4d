import { randomUUID } from 'node:crypto';
import { first } from '../headers.ts';
import { flag, text } from '../rows.ts';
import type { PluginHandler } from './handler.ts';

const prefix = randomUUID();
let counter = 0;

function generate(generator: string | undefined): string {
  if (generator === 'uuid') return randomUUID();
  counter += 1;
  return `${prefix}#${counter}`;
}

/** Marks a request with an id, unless the client did. */
export const correlationId: PluginHandler = {
  priority: 100_001,
  access(config, exchange) {
    const name = (text(config, 'header_name') ?? 'Kong-Request-ID').toLowerCase();
    const id = first(exchange.request.headers, name) ?? generate(text(config, 'generator'));
    exchange.upstream.headers.set(name, [id]);
    if (flag(config, 'echo_downstream') === true) exchange.responseHeaders.set(name, [id]);
    return undefined;
  },
};
