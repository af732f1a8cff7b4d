import { isHost, isPlainHost } from './host.ts';

/** A matching expression of Kong's expressions router; undefined matches everything and is left out. */
export type Expression = string | undefined;

export type Operator = '==' | '^=' | '=^' | '~';

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** A string literal of the expressions language. */
export function literal(text: string): string {
  return `"${text.replaceAll(/[\\"\n\r\t]/g, (character) => ESCAPES[character] ?? character)}"`;
}

/** A comparison of a field with a text. */
export function compare(field: string, operator: Operator, text: string): string {
  return `${field} ${operator} ${literal(text)}`;
}

function join(parts: readonly Expression[], operator: '&&' | '||'): Expression {
  const present = parts.filter((part) => part !== undefined);
  return present.length < 2 ? present[0] : present.map((part) => `(${part})`).join(` ${operator} `);
}

/** All of them; a single one stays bare, several are in parentheses (KIC 2.2.6). */
export function and(parts: readonly Expression[]): Expression {
  return join(parts, '&&');
}

/** Any of them. */
export function or(parts: readonly Expression[]): Expression {
  return join(parts, '||');
}

/** Hosts, of which those that are no host names are dropped. */
export function hostExpression(hosts: readonly string[]): Expression {
  return or(
    hosts
      .filter(isHost)
      .map((host) =>
        host.startsWith('*') ? compare('http.host', '=^', host.slice(1)) : compare('http.host', '==', host),
      ),
  );
}

/** SNIs, of which those that are no plain host names are dropped. */
export function sniExpression(snis: readonly string[]): Expression {
  return or(snis.filter(isPlainHost).map((sni) => compare('tls.sni', '==', sni)));
}

export function methodExpression(methods: readonly string[]): Expression {
  return or(methods.map((method) => compare('http.method', '==', method)));
}

/** The field of a request header: lower case, `_` for `-`. */
export function headerField(name: string): string {
  return `http.headers.${name.toLowerCase().replaceAll('-', '_')}`;
}

/** Headers by name: all of them, each with any of its values; `~*` starts a regular expression (KIC 2.2.6). */
export function headersExpression(headers: { readonly [name: string]: readonly string[] }): Expression {
  const names = Object.keys(headers)
    .filter((name) => name.toLowerCase() !== 'host')
    .toSorted();
  return and(
    names.map((name) =>
      or(
        (headers[name] ?? []).map((value) =>
          value.startsWith('~*')
            ? compare(headerField(name), '~', value.slice(2))
            : compare(headerField(name), '==', value),
        ),
      ),
    ),
  );
}

/** `^` in front unless it is there. */
export function anchored(regex: string): string {
  return regex.startsWith('^') ? regex : `^${regex}`;
}

/** Ports of a layer 4 route. */
export function portExpression(ports: readonly number[]): Expression {
  return or(ports.map((port) => `net.dst.port == ${port}`));
}

/**
 * A number from bit fields, highest first. Priorities have up to 46 bits, which doubles hold exactly but bit operators do
 * not. A value too large for its field counts as the largest that fits, so that it never spills into its neighbour.
 */
export function packBits(fields: readonly (readonly [value: number, shift: number, bits: number])[]): number {
  return fields.reduce(
    (sum, [value, shift, bits]) => sum + Math.min(Math.max(value, 0), 2 ** bits - 1) * 2 ** shift,
    0,
  );
}
