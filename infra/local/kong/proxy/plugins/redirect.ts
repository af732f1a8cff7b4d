import { flag, number, text } from '../rows.ts';
import type { PluginHandler } from './handler.ts';

/** Answers every request with a redirect. */
export const redirect: PluginHandler = {
  priority: 779,
  access(config, exchange) {
    let location = text(config, 'location') ?? '';
    const url = flag(config, 'keep_incoming_path') === true ? URL.parse(location) : null;
    if (url !== null) {
      url.pathname = exchange.request.rawPath;
      url.search = exchange.request.query ?? '';
      location = url.href;
    }
    return { status: number(config, 'status_code') ?? 301, headers: { location }, body: 'redirecting' };
  },
};
