import { type JsonRecord, isRecord } from '../json.ts';
import { KINDS } from './kinds.ts';
import type { Kind } from './resources.ts';

type Fill = (spec: JsonRecord) => JsonRecord;

/** A field's value with its objects filled in one by one; what is no list stays as it is. */
function each(value: unknown, fill: Fill): unknown {
  return Array.isArray(value) ? value.map((item: unknown) => (isRecord(item) ? fill(item) : item)) : value;
}

/** Replaces fields that are there. */
function mapped(record: JsonRecord, changes: { readonly [field: string]: (value: unknown) => unknown }): JsonRecord {
  const changed = { ...record };
  for (const [field, change] of Object.entries(changes)) {
    if (changed[field] !== undefined) changed[field] = change(changed[field]);
  }
  return changed;
}

const inSpec =
  (fill: Fill) =>
  (object: JsonRecord): JsonRecord =>
    mapped(object, { spec: (spec) => (isRecord(spec) ? fill(spec) : spec) });

const service: Fill = inSpec((spec) =>
  mapped(
    { type: 'ClusterIP', ...spec },
    {
      ports: (ports) => each(ports, (port) => ({ protocol: 'TCP', targetPort: port['port'], ...port })),
    },
  ),
);

/** `stringData` becomes `data`, as the API server does on a write. */
const secret: Fill = ({ stringData, ...object }) => {
  if (!isRecord(stringData)) return object;
  const encoded = Object.entries(stringData).map(([key, value]) => [
    key,
    Buffer.from(String(value)).toString('base64'),
  ]);
  return { ...object, data: { ...(isRecord(object['data']) ? object['data'] : {}), ...Object.fromEntries(encoded) } };
};

const FILLS: { readonly [K in Kind]?: Fill } = {
  Service: service,
  Secret: secret,
};

/** A file's object with what an API server would fill in when it is created: the namespace and the kind's defaults. */
export function withDefaults(kind: Kind, value: JsonRecord): JsonRecord {
  const filled = FILLS[kind]?.(value) ?? value;
  const { metadata } = filled;
  if (!KINDS[kind].namespaced || !isRecord(metadata)) return filled;
  return { ...filled, metadata: { namespace: 'default', ...metadata } };
}
