import { Tally } from "../../shared/tally.ts";
import type { CpythonGuest } from "./guest.ts";
import type { Spares } from "./spares.ts";
import type { Share } from "./zygote.ts";

/** Options of `Supply`. */
export interface SupplyOptions {
  /** Guests of full priority, for groups that have few. */
  readonly prompt: Spares;
  /** Guests of lower priority. */
  readonly ordinary: Spares;
}

// A group that has more guests than these, or waits for more, gets ordinary ones: so that one that
// comes after another's flood is served at once, and before it.
const fewGuests = 2;

/** Guests for groups, and what each group has of them. */
export class Supply {
  readonly #options: SupplyOptions;
  /** Guests that each group has or waits for. */
  readonly #sizes = new Tally();
  readonly #groups = new Map<CpythonGuest, string>();

  constructor(options: SupplyOptions) {
    this.#options = options;
  }

  /** As `Spares.lease`, of the kind that is the group's. */
  async lease(signal: AbortSignal, group: string): Promise<CpythonGuest> {
    const { prompt, ordinary } = this.#options;
    this.#sizes.add(group, 1);
    const hasFew = this.#sizes.of(group) <= fewGuests;
    const isPrompt = hasFew && (prompt.size > 0 || ordinary.size === 0);
    try {
      const guest = await (isPrompt ? prompt : ordinary).lease(signal, group);
      this.#groups.set(guest, group);
      return guest;
    } catch (error) {
      this.#sizes.add(group, -1);
      throw error;
    }
  }

  /** A guest has died. */
  forget(guest: CpythonGuest): void {
    const group = this.#groups.get(guest);
    if (group === undefined) return;
    this.#groups.delete(guest);
    this.#sizes.add(group, -1);
  }

  /** With how many others a guest that was given out shares. */
  shareOf(guest: CpythonGuest): Share {
    const group = this.#groups.get(guest) ?? "";
    return { group, size: Math.max(1, this.#sizes.of(group)) };
  }
}
