import type { PluginHandler } from './handler.ts';
import { changes, transform, transformJson } from './transform.ts';

const asIs = (value: string): string => value;

/** Changes headers, and top-level fields of JSON bodies, on the way back to the client. */
export const responseTransformer: PluginHandler = {
  priority: 800,
  header(config, _exchange, head) {
    transform(head.headers, config, { field: 'headers', spell: (name) => name.toLowerCase(), render: asIs });
  },
  body(config, _exchange, head) {
    const [contentType = ''] = head.headers.get('content-type') ?? [];
    if (!changes(config, 'json') || !contentType.includes('application/json')) return undefined;
    return (body) => transformJson(body, config, 'json', asIs);
  },
};
