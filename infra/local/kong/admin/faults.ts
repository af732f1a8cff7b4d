import type { Json } from './json.ts';

/** An answer in place of the real one. */
export interface FaultAnswer {
  readonly status: number;
  readonly body?: Json;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * What goes wrong with a request, for tests: another answer without doing anything; `cut`, the connection breaks before
 * anything is done; `cut-after`, it breaks after the work is done, so that the client cannot know. Undefined: nothing.
 * Asked once for each request; `path` comes without the query.
 */
export type Faults = (method: string, path: string) => FaultAnswer | 'cut' | 'cut-after' | undefined;
