import { canonicalJson } from '../../shared/hash.ts';
import { compareText } from '../../shared/plan/rank.ts';
import { isRecord } from '../../shared/json.ts';
import type { ActualState } from '../../shared/kong/actual.ts';
import type { AdminClient, Written } from '../../shared/kong/admin.ts';
import type { Child } from '../../shared/kong/children.ts';
import { ENTITIES, type Body, type EntityType } from '../../shared/kong/entities.ts';
import { text } from '../../shared/kong/json.ts';

interface Row {
  readonly type: EntityType;
  readonly id: string;
  readonly body: Body;
  readonly xmin: string;
}

/** A Kong in memory, for many cases in a short time: it has every type, checks references, and fills no defaults. */
export interface MemoryKong {
  readonly admin: AdminClient;
  readonly actual: ActualState;
  /** `type/id` → body with tags, as canonical JSON. */
  content(): ReadonlyMap<string, string>;
  /** `type/id` → xmin. */
  rows(): ReadonlyMap<string, string>;
  /** Puts a row there as somebody else would. */
  plant(type: EntityType, id: string, body: Body): void;
  /** Adds a tag to a row as somebody else would. */
  mark(id: string, tag: string): void;
  remove(id: string): void;
  clear(): void;
}

/** References that Kong refuses to cut. */
const RESTRICTING: ReadonlySet<string> = new Set([
  'routes.service',
  'snis.certificate',
  'services.client_certificate',
  'upstreams.client_certificate',
]);

function refusal(name: string, code: number): Written {
  return { ok: false, rejection: { status: 400, code, name, fields: [], message: name } };
}

function referred(value: unknown): string | undefined {
  return isRecord(value) && typeof value['id'] === 'string' ? value['id'] : undefined;
}

/** An empty one; `filterTags` mark what is managed. */
export function memoryKong(filterTags: readonly string[]): MemoryKong {
  const stored = new Map<string, Row>();
  let requests = 0;
  let transaction = 100;
  const isManaged = ({ body }: Row): boolean => {
    const { tags } = body;
    return Array.isArray(tags) && filterTags.every((tag) => tags.includes(tag));
  };
  const childrenOf = (parents: ReadonlySet<string>): readonly Child[] =>
    [...stored.values()].flatMap((row) =>
      Object.keys(ENTITIES[row.type].references).flatMap((field): Child[] => {
        const parentId = referred(row.body[field]);
        if (parentId === undefined || !parents.has(parentId)) return [];
        const cascades = !RESTRICTING.has(`${row.type}.${field}`);
        return [{ parentId, table: ENTITIES[row.type].table, id: row.id, managed: isManaged(row), cascades }];
      }),
    );
  const write = (type: EntityType, id: string, body: Body): Written => {
    for (const field of Object.keys(ENTITIES[type].references)) {
      const parent = referred(body[field]);
      if (parent !== undefined && !stored.has(parent)) return refusal('foreign key violation', 4);
    }
    transaction += 1;
    const { snis: _snis, ...fields } = body;
    stored.set(id, { type, id, body: type === 'certificates' ? fields : body, xmin: String(transaction) });
    return { ok: true, body };
  };
  const drop = (id: string): void => {
    stored.delete(id);
    for (const child of childrenOf(new Set([id]))) drop(child.id);
  };
  const asked = <T>(work: () => T): Promise<T> => {
    requests += 1;
    return Promise.resolve(work());
  };
  const shown = ({ id, body }: Row): Body => ({ ...body, id });
  const admin: AdminClient = {
    put: (type, id, body) => asked(() => write(type, id, body)),
    createTarget: (upstreamId, body) =>
      asked(() => {
        const id = text(body['id']) ?? '';
        if (stored.has(id)) return refusal('primary key violation', 3);
        return write('targets', id, { ...body, upstream: { id: upstreamId } });
      }),
    updateTarget: (upstreamId, id, body) =>
      asked(() => write('targets', id, { ...body, upstream: { id: upstreamId } })),
    remove: (_type, id) =>
      asked(() => {
        if (childrenOf(new Set([id])).some(({ cascades }) => !cascades)) return refusal('referenced by others', 19);
        drop(id);
        return { ok: true, body: {} };
      }),
    get: (_type, id) =>
      asked(() => {
        const row = stored.get(id);
        return row === undefined ? undefined : shown(row);
      }),
    async *list(type) {
      yield [...stored.values()].filter((row) => row.type === type).map(shown);
    },
    root: () => Promise.reject(new Error('nobody asks for it')),
    schema: () => Promise.resolve(undefined),
    validate: () => Promise.resolve(undefined),
    requests: () => requests,
    close: () => undefined,
  };
  const rowsOf = (ids: readonly string[]): readonly Row[] => ids.flatMap((id) => stored.get(id) ?? []);
  const actual: ActualState = {
    lacks: async () => false,
    versions: async (refs) =>
      new Map(
        rowsOf(refs.map(({ id }) => id)).map((row) => [row.id, { xmin: row.xmin, managed: isManaged(row) }] as const),
      ),
    findUnique: async () => new Map(),
    managed: async () => Map.groupBy([...stored.values()].filter(isManaged), ({ type }) => type),
    snisOf: async (ids) => {
      const snis = [...stored.values()].filter(({ type }) => type === 'snis');
      return new Map(
        ids.map((id) => [
          id,
          snis
            .filter(({ body }) => referred(body['certificate']) === id)
            .flatMap(({ body }) => text(body['name']) ?? []),
        ]),
      );
    },
    upstreamsOf: async (ids) =>
      new Map(rowsOf(ids).map(({ id, body }) => [id, referred(body['upstream']) ?? ''] as const)),
    targets: async (ids) => new Map(rowsOf(ids).map((row) => [row.id, shown(row)] as const)),
    children: async (refs) => childrenOf(new Set(refs.map(({ id }) => id))),
  };
  return {
    admin,
    actual,
    content: () => new Map([...stored.values()].map(({ type, id, body }) => [`${type}/${id}`, contentText(body)])),
    rows: () => new Map([...stored.values()].map(({ type, id, xmin }) => [`${type}/${id}`, xmin])),
    plant: (type, id, body) => void write(type, id, body),
    mark: (id, tag) => {
      const row = stored.get(id);
      const tags = row?.body['tags'];
      if (row !== undefined && Array.isArray(tags)) write(row.type, id, { ...row.body, tags: [...tags, tag] });
    },
    remove: (id) => drop(id),
    clear: () => stored.clear(),
  };
}

/** A body without its id, with its tags in one order, as that does not matter. */
export function contentText({ id: _id, tags, ...fields }: Body): string {
  return canonicalJson({ ...fields, tags: Array.isArray(tags) ? tags.map(String).toSorted(compareText) : [] });
}
