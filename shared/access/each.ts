import { AppError } from '../errors.ts';

/**
 * Does something for each cluster in turn, for the others too when it fails for one. Gives one cluster's result as it is,
 * several by name. Throws the first failure in the end, so that whoever watches the function's errors sees it.
 */
export async function forEachCluster<Result>(
  clusters: readonly string[],
  work: (cluster: string) => Promise<Result>,
  onFailure: (cluster: string, error: AppError) => void,
): Promise<Result | Readonly<Record<string, Result>>> {
  const results: Record<string, Result> = {};
  let failure: AppError | undefined;
  let last: Result | undefined;
  for (const cluster of clusters) {
    try {
      last = await work(cluster);
      results[cluster] = last;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      onFailure(cluster, error);
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  return clusters.length === 1 && last !== undefined ? last : results;
}
