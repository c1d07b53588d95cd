/** Where an item waits in a `FairQueue`; good for taking it out again. */
export interface Place<T> {
  readonly tenant: string;
  readonly item: T;
}

interface Node<T> extends Place<T> {
  /** Undefined once the item is out. */
  line: Line<T> | undefined;
  before: Node<T> | undefined;
  after: Node<T> | undefined;
}

interface Line<T> {
  readonly tenant: string;
  oldest: Node<T> | undefined;
  newest: Node<T> | undefined;
  length: number;
}

/**
 * A queue that serves its tenants in turn, each of them first come, first served. What it does for one
 * item costs the same however many wait.
 */
export class FairQueue<T> {
  /** In the order of their turns; a tenant is here only while it waits. */
  readonly #lines = new Map<string, Line<T>>();
  /** Lines by their length, so that the longest is known without a look at all. */
  readonly #byLength: Set<Line<T>>[] = [];
  #longest = 0;
  #size = 0;

  /** Items that wait. */
  get size(): number {
    return this.#size;
  }

  /** Items of a tenant that wait. */
  sizeOf(tenant: string): number {
    return this.#lines.get(tenant)?.length ?? 0;
  }

  push(tenant: string, item: T): Place<T> {
    const line = this.#lines.get(tenant) ?? this.#openLine(tenant);
    const node: Node<T> = { tenant, item, line, before: line.newest, after: undefined };
    if (line.newest === undefined) line.oldest = node;
    else line.newest.after = node;
    line.newest = node;
    this.#resize(line, 1);
    return node;
  }

  /** Takes the oldest item of the next tenant that may be served, and ends that tenant's turn. */
  take(mayServe: (tenant: string) => boolean): T | undefined {
    for (const [tenant, line] of this.#lines) {
      if (line.oldest === undefined || !mayServe(tenant)) continue;
      const { oldest } = line;
      this.remove(oldest);
      if (this.#lines.delete(tenant)) this.#lines.set(tenant, line);
      return oldest.item;
    }
    return undefined;
  }

  /** Takes an item out wherever it stands; false when it is out already. */
  remove(place: Place<T>): boolean {
    // Places are made by `push` alone.
    const node = place as Node<T>;
    const { line, before, after } = node;
    if (line === undefined) return false;
    if (before === undefined) line.oldest = after;
    else before.after = after;
    if (after === undefined) line.newest = before;
    else after.before = before;
    node.line = undefined;
    this.#resize(line, -1);
    if (line.length === 0) this.#lines.delete(line.tenant);
    return true;
  }

  /** The newest item of the tenant that has most waiting, on a tie of `tenant`; it stays in place. */
  newestOfLongest(tenant: string): Place<T> | undefined {
    const longest = this.#byLength[this.#longest];
    if (this.#longest === 0 || longest === undefined) return undefined;
    const own = this.#lines.get(tenant);
    if (own !== undefined && longest.has(own)) return own.newest;
    for (const line of longest) return line.newest;
    return undefined;
  }

  /** Takes everything out. */
  clear(): T[] {
    const items: T[] = [];
    for (const line of [...this.#lines.values()]) {
      for (let node = line.oldest; node !== undefined; node = line.oldest) {
        this.remove(node);
        items.push(node.item);
      }
    }
    return items;
  }

  #openLine(tenant: string): Line<T> {
    const line = { tenant, oldest: undefined, newest: undefined, length: 0 };
    this.#lines.set(tenant, line);
    return line;
  }

  #resize(line: Line<T>, change: 1 | -1): void {
    this.#byLength[line.length]?.delete(line);
    line.length += change;
    this.#size += change;
    if (line.length > 0) {
      const peers = this.#byLength[line.length] ?? new Set();
      this.#byLength[line.length] = peers.add(line);
    }
    if (line.length > this.#longest) this.#longest = line.length;
    // Lengths change by one, so that a line that was the only longest is still a longest one.
    else if (this.#byLength[this.#longest]?.size === 0) this.#longest -= 1;
  }
}
