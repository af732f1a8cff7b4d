/** Header fields by lower-case name, each with its values in order. */
export type Headers = Map<string, string[]>;

/** Fields that belong to one connection and are never passed on. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** Reads Node's flat list of names and values. */
export function headersOf(raw: readonly string[]): Headers {
  const headers: Headers = new Map();
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] ?? '').toLowerCase();
    const values = headers.get(name) ?? [];
    values.push(raw[index + 1] ?? '');
    headers.set(name, values);
  }
  return headers;
}

export function first(headers: Headers, name: string): string | undefined {
  return headers.get(name)?.[0];
}

/** A copy without connection fields, those that `Connection` names included. */
export function endToEnd(headers: Headers): Headers {
  const named = (headers.get('connection') ?? []).flatMap((value) =>
    value.split(',').map((name) => name.trim().toLowerCase()),
  );
  const dropped = new Set([...HOP_BY_HOP, ...named]);
  return new Map([...headers].filter(([name]) => !dropped.has(name)).map(([name, values]) => [name, [...values]]));
}

/** The form that Node's `http` takes: single values as strings, since it refuses lists for some fields. */
export function toNode(headers: Headers): Record<string, string | string[]> {
  const fields = [...headers].filter(([, values]) => values.length > 0);
  return Object.fromEntries(fields.map(([name, values]) => [name, values.length === 1 ? (values[0] ?? '') : values]));
}
