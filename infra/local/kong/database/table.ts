/** How a table of Kong's schema is written down here. `ddl.ts` turns it into SQL. */

/** `name: 'SQL type and column constraints'`, in Kong's column order. */
export type Columns = Readonly<Record<string, string>>;

export interface ForeignKey {
  /** One column, or the column and `ws_id` for keys that stay inside a workspace. */
  readonly columns: readonly string[];
  readonly table: string;
  /** The referenced columns. */
  readonly keys: readonly string[];
  readonly onDelete: 'cascade' | 'restrict';
}

export interface Table {
  readonly name: string;
  readonly columns: Columns;
  readonly primaryKey: readonly string[];
  /** Unique constraints beside the primary key. */
  readonly unique: readonly (readonly string[])[];
  readonly foreignKeys: readonly ForeignKey[];
  /** Indexed expressions, btree unless they start with `gin `. */
  readonly indexes: readonly string[];
  /** Keeps the `tags` table in step with this table's `tags` column. */
  readonly syncTags: boolean;
  /** Column after which rows are outdated; each INSERT removes at most two of them. */
  readonly expiry: string | undefined;
}

const NOW_SECONDS = `timestamptz DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC')`;
export const NOW_MILLISECONDS = `timestamptz DEFAULT (CURRENT_TIMESTAMP(3) AT TIME ZONE 'UTC')`;

export const CREATED: Columns = { created_at: NOW_SECONDS };
export const TIMES: Columns = { created_at: NOW_SECONDS, updated_at: NOW_SECONDS };
export const PLAIN_TIMES: Columns = { created_at: 'timestamptz', updated_at: 'timestamptz' };

export function table(name: string, columns: Columns, rest: Partial<Omit<Table, 'name' | 'columns'>> = {}): Table {
  return {
    name,
    columns,
    primaryKey: ['id'],
    unique: [],
    foreignKeys: [],
    indexes: [],
    syncTags: false,
    expiry: undefined,
    ...rest,
  };
}

const WORKSPACE: ForeignKey = { columns: ['ws_id'], table: 'workspaces', keys: ['id'], onDelete: 'restrict' };

/** A reference inside one workspace. */
export function scoped(column: string, to: string, onDelete: ForeignKey['onDelete'] = 'restrict'): ForeignKey {
  return { columns: [column, 'ws_id'], table: to, keys: ['id', 'ws_id'], onDelete };
}

/** A reference by id alone. */
export function reference(column: string, to: string, onDelete: ForeignKey['onDelete'] = 'restrict'): ForeignKey {
  return { columns: [column], table: to, keys: ['id'], onDelete };
}

type Rest = Partial<Omit<Table, 'name' | 'columns'>>;

/** A tagged entity of a workspace: what all but one of Kong's entity tables have in common. */
export function taggedTable(name: string, columns: Columns, rest: Rest = {}): Table {
  return table(
    name,
    { id: 'uuid', ...columns, tags: 'text[]', ws_id: 'uuid' },
    {
      ...rest,
      foreignKeys: [WORKSPACE, ...(rest.foreignKeys ?? [])],
      indexes: ['gin tags', ...(rest.indexes ?? [])],
      syncTags: true,
    },
  );
}

/** A tagged entity that others may refer to inside its workspace. */
export function entityTable(name: string, columns: Columns, rest: Rest = {}): Table {
  return taggedTable(name, columns, { ...rest, unique: [['id', 'ws_id'], ...(rest.unique ?? [])] });
}
