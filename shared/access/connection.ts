import type { Environment } from '../environment.ts';
import { hasReferences, secretsMaxAgeMs } from './settings.ts';

/** What holds connections. */
interface Closable {
  close(): Promise<void>;
}

/**
 * Connects once, however often it is asked for; a failure is forgotten, so that the next event tries again. Where
 * settings are references it connects anew when their values have got old, so that a rotated secret needs no deployment.
 * Takes the environment when first called, as handlers are imported before it is complete. For one event at a time.
 */
export function keepConnected<Connection extends Closable>(
  env: () => Environment,
  connect: (settings: Environment) => Promise<Connection>,
  clock: () => number = Date.now,
): () => Promise<Connection> {
  let made: { readonly connection: Promise<Connection>; readonly until: number } | undefined;
  return async () => {
    if (made !== undefined && clock() >= made.until) {
      const old = made;
      made = undefined;
      await (await old.connection).close();
    }
    const settings = env();
    const until = hasReferences(settings) ? clock() + secretsMaxAgeMs(settings) : Number.POSITIVE_INFINITY;
    made ??= { connection: connect(settings), until };
    return made.connection.catch((error: unknown) => {
      made = undefined;
      throw error;
    });
  };
}
