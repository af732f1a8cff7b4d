import type { Exchange } from '../exchange.ts';
import { object, text } from '../rows.ts';
import type { Row } from '../rows.ts';
import type { PluginHandler } from './handler.ts';
import { render } from './template.ts';
import { changes, transform, transformArguments, transformJson } from './transform.ts';

const HOST = new Set(['host']);

function transformHeaders(config: Row, exchange: Exchange): void {
  const { upstream } = exchange;
  const options = {
    field: 'headers',
    spell: (name: string) => name.toLowerCase(),
    render: (value: string) => render(value, exchange),
    protectedNames: HOST,
  };
  // The Host header is kept apart: it can only be replaced.
  upstream.headers.set('host', [upstream.host ?? '']);
  const before = upstream.host ?? '';
  transform(upstream.headers, config, options);
  const [host = ''] = upstream.headers.get('host') ?? [];
  upstream.headers.delete('host');
  if (host !== before) upstream.host = host;
}

function transformQuery(config: Row, exchange: Exchange): void {
  if (!changes(config, 'querystring')) return;
  const query = transformArguments(exchange.upstream.query ?? '', config, 'querystring', (value) =>
    render(value, exchange),
  );
  exchange.upstream.query = query === '' ? undefined : query;
}

async function transformBody(config: Row, exchange: Exchange): Promise<void> {
  const [contentType = ''] = exchange.request.headers.get('content-type') ?? [];
  const form = contentType.toLowerCase().includes('application/x-www-form-urlencoded');
  const json = contentType.toLowerCase().includes('application/json');
  if (!changes(config, 'body') || (!form && !json)) return;
  const body = await exchange.request.body();
  const rendered = (value: string): string => render(value, exchange);
  exchange.upstream.body = form
    ? Buffer.from(transformArguments(body.toString('utf8'), config, 'body', rendered))
    : transformJson(body, config, 'body', rendered);
}

/** Changes method, path, headers, query and form or JSON bodies before the request goes on. */
export const requestTransformer: PluginHandler = {
  priority: 801,
  async access(config, exchange) {
    const method = text(config, 'http_method');
    if (method !== undefined) exchange.upstream.method = method.toUpperCase();
    const uri = text(object(config, 'replace'), 'uri');
    const path = uri === undefined ? '' : render(uri, exchange);
    if (path !== '') exchange.upstream.path = path;
    transformHeaders(config, exchange);
    await transformBody(config, exchange);
    transformQuery(config, exchange);
    return undefined;
  },
};
