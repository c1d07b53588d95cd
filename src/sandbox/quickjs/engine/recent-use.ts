const halfLifeMs = 250;
const negligibleMs = 0.5;

/** CPU time that each group's programs have used of late, all together: what is past counts ever less. */
export class RecentUse {
  readonly #used = new Map<string, { readonly ms: number; readonly at: number }>();

  /** Milliseconds that a group has used at a moment, each halved for every quarter of a second since. */
  of(group: string, now = performance.now()): number {
    const used = this.#used.get(group);
    return used === undefined ? 0 : used.ms * 2 ** ((used.at - now) / halfLifeMs);
  }

  add(group: string, ms: number, now = performance.now()): void {
    for (const name of this.#used.keys()) {
      // The oldest are first.
      if (this.of(name, now) >= negligibleMs) break;
      this.#used.delete(name);
    }
    const sum = this.of(group, now) + ms;
    this.#used.delete(group);
    this.#used.set(group, { ms: sum, at: now });
  }
}
