import { AppError } from '../errors.ts';

/** Does something with the index. Its PostgreSQL's errors become INDEX_UNAVAILABLE, without their text, which may repeat what was sent. */
export async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError) throw error;
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
    if (code === undefined && !/connection|timeout/i.test(error instanceof Error ? error.message : '')) throw error;
    throw new AppError('INDEX_UNAVAILABLE', `PostgreSQL answered ${code ?? 'nothing'}`, { cause: error });
  }
}
