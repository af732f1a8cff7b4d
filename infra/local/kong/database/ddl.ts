import type { ForeignKey, Table } from './table.ts';

/** SQL that creates a table where it is missing, with its indexes and triggers. */
export function createTable(table: Table): string {
  return [
    `CREATE TABLE IF NOT EXISTS ${table.name} (\n  ${[...columns(table), ...constraints(table)].join(',\n  ')}\n)`,
    ...table.indexes.map((index) => createIndex(table.name, index)),
    ...(table.syncTags ? [tagsTrigger(table.name)] : []),
    ...(table.expiry === undefined ? [] : [expiryTrigger(table.name, table.expiry)]),
  ].join(';\n');
}

function columns(table: Table): string[] {
  return Object.entries(table.columns).map(([name, type]) => `${name} ${type}`);
}

function constraints(table: Table): string[] {
  return [
    ...(table.primaryKey.length === 0 ? [] : [`PRIMARY KEY (${table.primaryKey.join(', ')})`]),
    ...table.unique.map((columnNames) => `UNIQUE (${columnNames.join(', ')})`),
    ...table.foreignKeys.map(foreignKey),
  ];
}

function foreignKey(key: ForeignKey): string {
  const onDelete = key.onDelete === 'cascade' ? ' ON DELETE CASCADE' : '';
  return `FOREIGN KEY (${key.columns.join(', ')}) REFERENCES ${key.table} (${key.keys.join(', ')})${onDelete}`;
}

function createIndex(table: string, index: string): string {
  const gin = index.startsWith('gin ');
  const expression = gin ? index.slice(4) : index;
  const name = `${table}_${expression.replaceAll(/[^a-z_]+/g, '_').replaceAll(/^_+|_+$/g, '')}_idx`;
  return `CREATE INDEX IF NOT EXISTS ${name} ON ${table} USING ${gin ? 'gin' : 'btree'} (${expression})`;
}

function tagsTrigger(table: string): string {
  return `CREATE OR REPLACE TRIGGER ${table}_sync_tags_trigger
  AFTER INSERT OR UPDATE OF tags OR DELETE ON ${table} FOR EACH ROW EXECUTE FUNCTION sync_tags()`;
}

function expiryTrigger(table: string, column: string): string {
  return `CREATE OR REPLACE TRIGGER ${table}_ttl_trigger
  AFTER INSERT ON ${table} FOR EACH STATEMENT EXECUTE FUNCTION batch_delete_expired_rows('${column}')`;
}

/** The trigger functions, named as Kong names them. */
export const FUNCTIONS = `
CREATE OR REPLACE FUNCTION sync_tags() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF TG_OP = 'DELETE' THEN
    DELETE FROM tags WHERE entity_id = OLD.id;
    RETURN OLD;
  END IF;
  INSERT INTO tags (entity_id, entity_name, tags) VALUES (NEW.id, TG_TABLE_NAME, NEW.tags)
    ON CONFLICT (entity_id) DO UPDATE SET tags = EXCLUDED.tags;
  RETURN NEW;
END $body$;

CREATE OR REPLACE FUNCTION batch_delete_expired_rows() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  EXECUTE format(
    'DELETE FROM %1$I WHERE ctid = ANY (ARRAY(SELECT ctid FROM %1$I WHERE %2$I < CURRENT_TIMESTAMP LIMIT 2 FOR UPDATE SKIP LOCKED))',
    TG_TABLE_NAME, TG_ARGV[0]);
  RETURN NULL;
END $body$`;
