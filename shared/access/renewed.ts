/** A value and how long it may be used. */
export interface Made<Value> {
  readonly value: Value;
  /** ms since the epoch. */
  readonly until: number;
}

/** Gives a value that is made anew when its time is over, or when it is the one that was just refused. */
export type Renewed<Value> = (refused?: Value) => Promise<Value>;

/**
 * Keeps what `make` gives until its time is over. Who asks while it is being made waits for the same one, so that ten
 * requests that were refused together make one new value. A failure is not kept.
 */
export function renewed<Value>(make: () => Promise<Made<Value>>, clock: () => number = Date.now): Renewed<Value> {
  let made: Made<Value> | undefined;
  let making: Promise<Made<Value>> | undefined;
  return async (refused) => {
    if (made !== undefined && clock() < made.until && made.value !== refused) return made.value;
    making ??= make().finally(() => {
      making = undefined;
    });
    made = await making;
    return made.value;
  };
}
