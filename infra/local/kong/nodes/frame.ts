import { gzipSync } from 'node:zlib';
import type { Json } from '../../../../shared/kong/entities.ts';
import type { Row, Tables } from '../proxy/rows.ts';
import type { Snapshot } from './snapshot.ts';

/** Columns that refer to another entity: a frame has its bare id under the field's name. */
const REFERENCES = new Set([
  'service_id',
  'route_id',
  'consumer_id',
  'upstream_id',
  'certificate_id',
  'client_certificate_id',
  'set_id',
]);
/** Times in whole seconds, but those of targets. */
const TIMES = new Set(['created_at', 'updated_at']);

function fieldOf(column: string, value: Json): readonly [string, Json] {
  if (REFERENCES.has(column)) return [column.replace(/_id$/, ''), value];
  if (TIMES.has(column) && typeof value === 'string') return [column, Date.parse(value) / 1000];
  return [column, value];
}

function entity(row: Row): Row {
  return Object.fromEntries(Object.entries(row).map(([column, value]) => fieldOf(column, value)));
}

function configTable(tables: Tables): Record<string, Json> {
  const entities = Object.entries(tables).map(([table, rows]): readonly [string, Json] => [
    table === 'sm_vaults' ? 'vaults' : table,
    rows.map(entity),
  ]);
  return { _format_version: '3.0', _transform: false, ...Object.fromEntries(entities) };
}

/** What a control plane sends to a data plane: gzipped JSON, as recorded from a real one (CV §1). `now` in ms. */
export function frameOf({ hash, tables }: Snapshot, now: number): Buffer {
  return gzipSync(
    JSON.stringify({
      type: 'reconfigure',
      timestamp: now / 1000,
      config_hash: hash,
      hashes: { config: hash },
      config_table: configTable(tables),
    }),
  );
}
