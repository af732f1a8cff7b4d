import type { Key } from '../kubernetes/keys.ts';
import type { Queryable } from './database.ts';

/** The last revision that wrote something for any of several objects. */
export interface ObjectsRevision {
  /** Undefined when nothing had to be written for them. */
  readonly revision: string | undefined;
  /** Those that no translation has read or made something of. */
  readonly unknown: readonly Key[];
}

/**
 * The object is a root or is read by roots. Targets that were written for roots which were not translated may be those of
 * any root.
 */
const REVISIONS = `
  SELECT w.object, count(r.root) > 0 AS known,
    CASE WHEN count(r.root) > 0 THEN
      greatest(max(r.revision), (SELECT max(id) FROM kong_ingress.revisions WHERE shared))::text
    END AS revision
  FROM unnest($1::text[]) AS w(object)
    LEFT JOIN LATERAL (
      SELECT w.object AS root UNION SELECT s.root FROM kong_ingress.sources s WHERE s.key = w.object
    ) AS reader ON true
    LEFT JOIN kong_ingress.roots r ON r.root = reader.root
  GROUP BY w.object`;

/** Which revision must be proven before all of these objects are. One statement that only reads. */
export async function objectsRevision(index: Queryable, objects: readonly Key[]): Promise<ObjectsRevision> {
  const { rows } = await index.query<{ object: Key; known: boolean; revision: string | null }>(REVISIONS, [objects]);
  const revisions = rows.flatMap(({ revision }) => revision ?? []);
  return {
    revision: revisions.toSorted((a, b) => Number(b) - Number(a))[0],
    unknown: rows.filter(({ known }) => !known).map(({ object }) => object),
  };
}

/** Whether a revision is among those that are proven. Pure. */
export function isUpTo(revision: string, proven: string | undefined): boolean {
  return proven !== undefined && Number(revision) <= Number(proven);
}
