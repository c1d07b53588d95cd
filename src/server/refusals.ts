// What a call costs that is refused before its message is read: less in Node and Connect, with its part
// of the collector's work this much, measured.
const refusedMs = 1;
// Of the time, how much may go into refusals to one owner, beyond the burst.
const share = 0.25;
const burst = 25;

const everyMs = refusedMs / share;

/** How often each owner's calls were refused lately. An owner is a tenant, or a connection that nobody has claimed. */
export class Refusals {
  readonly #now: () => number;
  /** Until when each owner's refusals have been paid for; the one refused longest ago first. */
  readonly #paidAt = new Map<string, number>();

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  add(owner: string): void {
    const now = this.#now();
    const paidAt = Math.max(this.#paidAt.get(owner) ?? now, now) + everyMs;
    this.#paidAt.delete(owner);
    for (const [other, at] of this.#paidAt) {
      if (at > now) break;
      this.#paidAt.delete(other);
    }
    this.#paidAt.set(owner, paidAt);
  }

  /** Milliseconds until the owner's next call is to be begun; 0 for at once. */
  restMs(owner: string): number {
    const paidAt = this.#paidAt.get(owner);
    return paidAt === undefined ? 0 : Math.max(0, paidAt - burst * everyMs - this.#now());
  }
}
