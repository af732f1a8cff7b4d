import { configurationOf } from '../../../infra/local/kong/proxy/configuration.ts';
import type { Configuration } from '../../../infra/local/kong/proxy/configuration.ts';
import type { RoutingRequest } from '../../../infra/local/kong/proxy/router.ts';
import type { Row, Tables } from '../../../infra/local/kong/proxy/rows.ts';

/** An id whose order is that of `n`. */
export function uuid(n: number): string {
  return `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
}

/** Routes with Kong's defaults, ids ascending in the order given, named `r0`, `r1` … unless they say otherwise. */
export function routes(...rows: readonly Row[]): readonly Row[] {
  return rows.map((row, index) => ({
    id: uuid(index + 1),
    name: `r${index}`,
    protocols: ['http', 'https'],
    strip_path: true,
    preserve_host: false,
    regex_priority: 0,
    https_redirect_status_code: 426,
    ...row,
  }));
}

export function configuration(tables: Tables): Configuration {
  return configurationOf(tables);
}

/** A request as the router sees it: `GET http://host/path`. */
export function routing(
  line: string,
  extra: Partial<Omit<RoutingRequest, 'headers'>> = {},
  headers: Record<string, string> = {},
): RoutingRequest {
  const [method = 'GET', target = ''] = line.split(' ');
  const url = new URL(target);
  return {
    method,
    host: url.hostname,
    port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port),
    path: url.pathname,
    scheme: url.protocol === 'https:' ? 'https' : 'http',
    sni: undefined,
    ...extra,
    headers: (name) => (headers[name] === undefined ? [] : [headers[name]]),
  };
}
