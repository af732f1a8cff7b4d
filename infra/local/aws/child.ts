/**
 * One execution environment of a function, as a process of its own that can be ended at any moment: gets events over IPC,
 * one at a time, and answers each. Started by `process.ts`.
 */
import { contextOf, importHandler } from './functions.ts';
import { isObject } from './json.ts';
import type { FunctionWiring } from './wiring.ts';

/** What the parent sends first: where handlers are, and which one this is. */
export interface ChildStart {
  readonly directory: string;
  readonly wiring: FunctionWiring;
}

/** What the parent sends for each invocation. */
export interface ChildEvent {
  readonly event: unknown;
  /** ms since the epoch. */
  readonly deadline: number;
}

/** What comes back: first that the handler is imported and begins, then its answer. */
export type ChildAnswer =
  | { readonly begins: true }
  | { readonly result: unknown }
  | { readonly name: string; readonly message: string };

function isStart(value: unknown): value is ChildStart {
  return isObject(value) && typeof value['directory'] === 'string' && isObject(value['wiring']);
}

function isEvent(value: unknown): value is ChildEvent {
  return isObject(value) && typeof value['deadline'] === 'number';
}

function say(found: ChildAnswer): void {
  process.send?.(found);
}

async function answer({ directory, wiring }: ChildStart, { event, deadline }: ChildEvent): Promise<ChildAnswer> {
  try {
    handler ??= importHandler(directory, wiring);
    const run = await handler;
    say({ begins: true });
    const result: unknown = await run(event, contextOf(wiring, deadline));
    return { result };
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error('failed');
    return { name, message };
  }
}

let start: ChildStart | undefined;
let handler: ReturnType<typeof importHandler> | undefined;

process.on('message', (message: unknown) => {
  if (start === undefined && isStart(message)) start = message;
  else if (start !== undefined && isEvent(message)) {
    void answer(start, message).then(say);
  }
});
process.on('disconnect', () => process.exit());
