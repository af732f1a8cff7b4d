import type { Exchange } from '../exchange.ts';
import { first } from '../headers.ts';

function lookUp(reference: string, exchange: Exchange): string | undefined {
  const [, table, dotted, quoted, index] =
    /^(headers|query_params|uri_captures)(?:\.([\w-]+)|\[["']([^"']+)["']\]|\[(\d+)\])$/.exec(reference) ?? [];
  const name = dotted ?? quoted ?? index ?? '';
  if (table === 'headers') return first(exchange.request.headers, name.toLowerCase().replaceAll('_', '-'));
  if (table === 'query_params') return new URLSearchParams(exchange.request.query ?? '').get(name) ?? undefined;
  if (table === 'uri_captures') return exchange.match.captures[name];
  return undefined;
}

function evaluate(expression: string, exchange: Exchange): string {
  for (const part of expression.split(/\s+or\s+/)) {
    const literal = /^(["'])(.*)\1$/.exec(part.trim());
    const value = literal === null ? lookUp(part.trim(), exchange) : literal[2];
    if (value !== undefined) return value;
  }
  return '';
}

/**
 * Renders `$(headers.x)`, `$(query_params.x)`, `$(uri_captures[1])` and `$(uri_captures["x"])`, each with an optional
 * `or 'text'`. Kong runs any Lua expression there; other ones render as nothing.
 */
export function render(template: string, exchange: Exchange): string {
  return template.replaceAll(/\$\(((?:[^()"']|"[^"]*"|'[^']*')*)\)/g, (_, expression: string) =>
    evaluate(expression, exchange),
  );
}
