import { at, listAt, objectAt, text, textAt, type Json, type JsonObject } from './json.ts';
import { jsonPath } from './jsonpath.ts';
import type { Column } from './resources.ts';

const UNITS: readonly (readonly [string, number])[] = [
  ['y', 31_536_000],
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
];

/** The time since an RFC 3339 time as kubectl shows it: `5s`, `3m`, `2d`. `now` in ms. */
export function age(since: string, now: number): string {
  const seconds = Math.max(0, Math.floor((now - Date.parse(since)) / 1000));
  if (Number.isNaN(seconds)) return '<unknown>';
  const [unit, size] = UNITS.find(([, length]) => seconds >= 2 * length) ?? ['s', 1];
  return `${Math.floor(seconds / size)}${unit}`;
}

function joined(values: readonly string[], most = values.length): string {
  const shown = values.filter((value) => value !== '');
  const more = shown.length > most ? ` + ${shown.length - most} more...` : '';
  return shown.length === 0 ? '<none>' : `${shown.slice(0, most).join(',')}${more}`;
}

function texts(object: JsonObject, path: string): readonly string[] {
  return jsonPath(object, path).map((value) => (typeof value === 'string' ? value : JSON.stringify(value)));
}

function servicePorts(object: JsonObject): string {
  return joined(
    listAt(object, 'spec', 'ports').map((port) => {
      const node = at(port, 'nodePort');
      return `${text(at(port, 'port'))}${node === undefined ? '' : `:${text(node)}`}/${textAt(port, 'protocol')}`;
    }),
  );
}

function externalAddress(object: JsonObject): string {
  const name = textAt(object, 'spec', 'externalName');
  if (name !== '') return name;
  const addresses = [
    ...texts(object, '.status.loadBalancer.ingress[*].ip'),
    ...texts(object, '.status.loadBalancer.ingress[*].hostname'),
  ];
  if (addresses.length === 0 && textAt(object, 'spec', 'type') === 'LoadBalancer') return '<pending>';
  return joined([...addresses, ...texts(object, '.spec.externalIPs[*]')]);
}

function ingressHosts(object: JsonObject): string {
  const hosts = listAt(object, 'spec', 'rules').map((rule) => textAt(rule, 'host') || '*');
  return hosts.length === 0 ? '*' : joined([...new Set(hosts)], 3);
}

function involved(object: JsonObject): string {
  const reference = at(object, 'involvedObject') ?? at(object, 'regarding');
  return `${textAt(reference, 'kind').toLowerCase()}/${textAt(reference, 'name')}`;
}

const FORMATS: Readonly<Record<string, (object: JsonObject, now: number) => Json>> = {
  clusterIP: (object) => textAt(object, 'spec', 'clusterIP') || '<none>',
  externalIP: externalAddress,
  servicePorts,
  subsets: (object) => joined(texts(object, '.subsets[*].addresses[*].ip'), 3),
  dataCount: (object) =>
    Object.keys(objectAt(object, 'data')).length + Object.keys(objectAt(object, 'binaryData')).length,
  lastSeen: (object, now) => {
    const seen =
      textAt(object, 'lastTimestamp') || textAt(object, 'deprecatedLastTimestamp') || textAt(object, 'eventTime');
    return age(seen || textAt(object, 'metadata', 'creationTimestamp'), now);
  },
  involved,
  slicePorts: (object) => joined(texts(object, '.ports[*].port'), 3),
  sliceAddresses: (object) => joined(texts(object, '.endpoints[*].addresses[*]'), 3),
  ingressClass: (object) =>
    textAt(object, 'spec', 'ingressClassName') ||
    textAt(object, 'metadata', 'annotations', 'kubernetes.io/ingress.class') ||
    '<none>',
  ingressHosts,
  ingressPorts: (object) => (listAt(object, 'spec', 'tls').length > 0 ? '80, 443' : '80'),
  loadBalancer: (object) =>
    [
      ...texts(object, '.status.loadBalancer.ingress[*].ip'),
      ...texts(object, '.status.loadBalancer.ingress[*].hostname'),
    ].join(','),
  parameters: (object) => {
    const { kind, apiGroup, name } = objectAt(object, 'spec', 'parameters');
    return name === undefined
      ? '<none>'
      : `${text(kind)}${apiGroup === undefined ? '' : `.${text(apiGroup)}`}/${text(name)}`;
  },
  webhookCount: (object) => listAt(object, 'webhooks').length,
};

/** What a column shows of an object. `now` in ms. */
export function cell(object: JsonObject, column: Column, now: number): Json {
  const format = column.path.startsWith('=') ? FORMATS[column.path.slice(1)] : undefined;
  if (format !== undefined) return format(object, now);
  const values = jsonPath(object, column.path);
  const [first] = values;
  if (first === undefined) return column.type === 'integer' ? 0 : '';
  if (column.type === 'date' && typeof first === 'string') return age(first, now);
  if (values.length === 1 && (typeof first === 'number' || typeof first === 'boolean')) return first;
  return texts(object, column.path).join(',');
}
