import { AppError } from '../errors.ts';
import { isRecord, parseJson } from '../json.ts';
import type { Reference } from './reference.ts';
import { type Renewed, renewed } from './renewed.ts';

/** Reads what references stand for. */
export interface SecretReader {
  /**
   * The value, at most `maxAgeMs` old; read again when it is `refused`. Throws SECRET_UNREADABLE and what the store does,
   * and never repeats a value.
   */
  read(reference: Reference, refused?: string): Promise<string>;
}

export interface SecretReaderOptions {
  /** The text of a secret or parameter. */
  readonly fetch: (store: Reference['store'], id: string) => Promise<string>;
  /** How long a value counts before it is read again, ms. */
  readonly maxAgeMs: number;
  readonly clock?: () => number;
}

/** The part of a secret's text that is meant. */
function part(text: string, { store, id, key }: Reference): string {
  if (key === undefined) return text;
  const parsed = parseJson(text);
  const value: unknown = isRecord(parsed) ? parsed[key] : undefined;
  if (typeof value === 'string') return value;
  throw new AppError('SECRET_UNREADABLE', `${store}:${id} has no text under the key ${key}`);
}

/** A reader that asks for each secret once in `maxAgeMs`, however many of its keys are wanted. */
export function secretReader({ fetch, maxAgeMs, clock = Date.now }: SecretReaderOptions): SecretReader {
  const texts = new Map<string, Renewed<string>>();
  function textOf({ store, id }: Reference): Renewed<string> {
    const name = `${store}:${id}`;
    const found = texts.get(name);
    if (found !== undefined) return found;
    const made = renewed(async () => ({ until: clock() + maxAgeMs, value: await fetch(store, id) }), clock);
    texts.set(name, made);
    return made;
  }
  return {
    async read(reference, refused) {
      const get = textOf(reference);
      const text = await get();
      const value = part(text, reference);
      return refused === undefined || value !== refused ? value : part(await get(text), reference);
    },
  };
}
