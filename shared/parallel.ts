/**
 * Runs `fn` for every item, at most `limit` at a time, and gives the results in the items' order. After the first
 * rejection no further item is begun; the promise rejects with it once those under way are done.
 */
export async function inParallel<Item, Result>(
  limit: number,
  items: readonly Item[],
  fn: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const failures: unknown[] = [];
  const queue = items.entries();
  async function work(): Promise<void> {
    for (const [index, item] of queue) {
      try {
        results[index] = await fn(item);
      } catch (error) {
        failures.push(error);
      }
      if (failures.length > 0) return;
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work));
  if (failures.length > 0) throw failures[0];
  return results;
}
