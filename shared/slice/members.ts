import { providersOf, type Providers } from '../index/providers.ts';
import type { Queryable } from '../index/database.ts';
import { guarded } from '../index/guarded.ts';
import type { ChangeEvent } from '../events.ts';
import { queryKey, type Key } from '../kubernetes/keys.ts';
import type { Members } from '../kubernetes/live.ts';
import { UNSELECTABLE } from '../kubernetes/selection.ts';

/**
 * The members of queries that Kubernetes has no selector for: who provided the key last, as the index knows it, and
 * whatever changed in this slice. One statement for what is asked about one plugin or Service, whatever the kinds.
 * Whoever the index does not know because its event was lost is found by the next reconcile (DESIGN §2, idea 1). Rejects
 * with INDEX_UNAVAILABLE.
 */
export function indexedMembers(database: Queryable, changes: readonly ChangeEvent[]): Members {
  const asked = new Map<string, Promise<Providers | undefined>>();
  return async (kind, query) => {
    if (!UNSELECTABLE.includes(kind)) return undefined;
    const key = queryKey(kind, query);
    const about = key.slice(kind.length);
    const answer =
      asked.get(about) ??
      // Guarded here: an index that cannot be read must not pass for a translation that fails.
      guarded(() =>
        providersOf(
          database,
          UNSELECTABLE.map((other): Key => other + about),
        ),
      );
    asked.set(about, answer);
    const known = (await answer)?.get(key);
    if (known === undefined) return undefined;
    const members = known.map((object) => {
      const [, namespace = '', name = ''] = object.split('/');
      return { namespace, name };
    });
    const changed = changes.flatMap(({ ref }) => (ref.kind === kind ? [ref] : []));
    return [...new Map([...members, ...changed].map((one) => [`${one.namespace}/${one.name}`, one])).values()];
  };
}
