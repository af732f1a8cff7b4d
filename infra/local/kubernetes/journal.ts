import { closeSync, existsSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { AppError } from '../../../shared/errors.ts';
import { isObject, objectAt, textAt, type JsonObject } from './json.ts';

/** One write, as a line of the journal: the object as stored, or the key of what was removed. */
export type Entry =
  | { readonly storage: string; readonly object: JsonObject }
  | { readonly storage: string; readonly removed: { readonly namespace: string; readonly name: string } };

interface Line {
  readonly resourceVersion: number;
  readonly entry?: Entry;
}

function parse(text: string): Line {
  const line: unknown = JSON.parse(text);
  if (!isObject(line)) throw new SyntaxError('not an object');
  const resourceVersion = Number(line['resourceVersion']);
  const storage = textAt(line, 'storage');
  if (isObject(line['object'])) return { resourceVersion, entry: { storage, object: line['object'] } };
  if (!isObject(line['removed'])) return { resourceVersion };
  const key = objectAt(line, 'removed');
  return {
    resourceVersion,
    entry: { storage, removed: { namespace: textAt(key, 'namespace'), name: textAt(key, 'name') } },
  };
}

/** Lines of a journal; a last line that a crash cut short was never acknowledged and is left out. */
function readLines(file: string): readonly Line[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  lines.pop();
  return lines.map((line, index) => {
    try {
      return parse(line);
    } catch (cause) {
      throw new AppError('LOCAL_DATA_DAMAGED', `${file}:${index + 1} cannot be read`, { cause });
    }
  });
}

/** Where the objects survive a restart: one file of JSON lines, a line per write, rewritten without history at each start. */
export class Journal {
  readonly #file: string;
  #descriptor: number | undefined;

  constructor(directory: string) {
    this.#file = path.join(directory, 'objects.jsonl');
  }

  /** Everything written so far, and the highest resourceVersion given out. Throws LOCAL_DATA_DAMAGED. */
  read(): { readonly resourceVersion: number; readonly entries: readonly Entry[] } {
    const lines = readLines(this.#file);
    return {
      resourceVersion: lines.reduce((highest, line) => Math.max(highest, line.resourceVersion), 0),
      entries: lines.flatMap((line) => (line.entry === undefined ? [] : [line.entry])),
    };
  }

  /** Replaces the file by these entries and opens it for appending. */
  begin(resourceVersion: number, entries: readonly Entry[]): void {
    const lines = [{ resourceVersion }, ...entries.map((entry) => ({ resourceVersion, ...entry }))];
    const next = `${this.#file}.next`;
    writeFileSync(next, lines.map((line) => `${JSON.stringify(line)}\n`).join(''), { mode: 0o600 });
    renameSync(next, this.#file);
    this.#descriptor = openSync(this.#file, 'a', 0o600);
  }

  append(resourceVersion: number, entry: Entry): void {
    if (this.#descriptor === undefined) throw new Error('the journal is closed');
    writeSync(this.#descriptor, `${JSON.stringify({ resourceVersion, ...entry })}\n`);
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
