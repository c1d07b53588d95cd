/** A queue that serves its tenants in turn, each of them first come, first served. */
export class FairQueue<T> {
  /** In the order of their turns; a tenant is here only while it waits. */
  readonly #tenants = new Map<string, Set<T>>();
  #size = 0;

  /** Items that wait. */
  get size(): number {
    return this.#size;
  }

  push(tenant: string, item: T): void {
    const items = this.#tenants.get(tenant);
    if (items === undefined) this.#tenants.set(tenant, new Set([item]));
    else items.add(item);
    this.#size += 1;
  }

  /** Takes the oldest item of the next tenant that may be served, and ends that tenant's turn. */
  take(mayServe: (tenant: string) => boolean): T | undefined {
    for (const [tenant, items] of this.#tenants) {
      if (!mayServe(tenant)) continue;
      for (const item of items) {
        this.remove(tenant, item);
        if (this.#tenants.delete(tenant)) this.#tenants.set(tenant, items);
        return item;
      }
    }
    return undefined;
  }

  /** Takes an item out wherever it stands; false when it is not here. */
  remove(tenant: string, item: T): boolean {
    const items = this.#tenants.get(tenant);
    if (!items?.delete(item)) return false;
    if (items.size === 0) this.#tenants.delete(tenant);
    this.#size -= 1;
    return true;
  }

  /** The newest item of the tenant that has most waiting, on a tie of `tenant`; it stays in place. */
  newestOfLongest(tenant: string): T | undefined {
    let longest: Set<T> = this.#tenants.get(tenant) ?? new Set();
    for (const items of this.#tenants.values()) {
      if (items.size > longest.size) longest = items;
    }
    return [...longest].at(-1);
  }

  /** Takes everything out. */
  clear(): T[] {
    const items = [...this.#tenants.values()].flatMap((each) => [...each]);
    this.#tenants.clear();
    this.#size = 0;
    return items;
  }
}
