/** A seeded generator of numbers, for schedules that can be had again. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to, not including, 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number of at most `max`. */
  upTo(max: number): number {
    return Math.floor(this.next() * (max + 1));
  }

  between(min: number, max: number): number {
    return min + this.upTo(max - min);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<Item>(items: readonly [Item, ...Item[]]): Item {
    return items[this.upTo(items.length - 1)] ?? items[0];
  }

  list<Item>(count: number, make: (place: number) => Item): readonly Item[] {
    return Array.from({ length: count }, (_item, place) => make(place));
  }
}

interface Task {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

const before = (a: Task, b: Task): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** Tasks in the order of their times, ms; those of one time in the order in which they were added. */
export class Timeline {
  readonly #heap: Task[] = [];
  #order = 0;
  now = 0;

  at(time: number, run: () => void): void {
    const task = { at: Math.max(time, this.now), order: (this.#order += 1), run };
    let place = this.#heap.push(task) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = this.#heap[parent];
      if (above === undefined || before(above, task)) break;
      this.#heap[place] = above;
      place = parent;
    }
    this.#heap[place] = task;
  }

  after(ms: number, run: () => void): void {
    this.at(this.now + ms, run);
  }

  /** Runs everything until a time, or until `done` says so. */
  play(until: number, done: () => boolean): void {
    for (let next = this.#heap[0]; next !== undefined && next.at <= until && !done(); next = this.#heap[0]) {
      this.#take();
      this.now = next.at;
      next.run();
    }
  }

  #take(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    let place = 0;
    for (;;) {
      const [left, right] = [2 * place + 1, 2 * place + 2];
      const [a, b] = [this.#heap[left], this.#heap[right]];
      if (a === undefined) break;
      const [child, at] = b !== undefined && before(b, a) ? [b, right] : [a, left];
      if (before(last, child)) break;
      this.#heap[place] = child;
      place = at;
    }
    this.#heap[place] = last;
  }
}
