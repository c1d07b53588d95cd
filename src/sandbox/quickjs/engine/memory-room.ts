import { Tally } from "../../../shared/tally.ts";

/** Options of a `MemoryRoom`. */
export interface MemoryRoomOptions {
  /** What all runs may hold together, bytes, at this moment. */
  readonly bytes: () => number;
  /** No run that waits has been given anything for so long before one is refused, milliseconds. */
  readonly patienceMs?: number;
  /** A run that waits for memory is given what it asked for. */
  readonly onGiven: (guest: number, bytes: number) => void;
  /** A run that waits for memory is not to have it. */
  readonly onRefused: (guest: number) => void;
}

interface Asker {
  readonly guest: number;
  readonly group: string;
  readonly bytes: number;
}

const defaultPatienceMs = 1_000;
// A run that has been given memory asks again within a moment if it needs more: until then nobody of its
// group gets what it could need, or each of them would have a part and none enough.
const settleMs = 100;
// However much a group wants, it leaves a ninth of what there is for others; two of them leave a seventeenth.
const timesFree = 8;

/**
 * The memory of an engine's process, which its runs hold. What does not fit waits: groups in turn, and of
 * each the oldest run, so that it comes to its end. Where nothing moves any more, the youngest run that
 * waits, of the group that holds most, is refused.
 */
export class MemoryRoom {
  readonly #options: MemoryRoomOptions;
  /** Bytes, by group. */
  readonly #held = new Tally();
  readonly #holders = new Map<number, { readonly group: string; bytes: number }>();
  /** In the order of their turns; of a group the oldest first. */
  readonly #lines = new Map<string, Asker[]>();
  /** When a run of a group that waits was last given something. */
  readonly #givenAt = new Map<string, number>();
  #looking: NodeJS.Timeout | undefined;
  #patience: NodeJS.Timeout | undefined;

  constructor(options: MemoryRoomOptions) {
    this.#options = options;
  }

  /** Bytes that are held. */
  get held(): number {
    return this.#held.total;
  }

  /** Whether runs wait: what is held for nobody should be given back. */
  get isShort(): boolean {
    return this.#lines.size > 0;
  }

  /** A run asks for memory: true when it holds it from now on, otherwise it waits for it. */
  ask(guest: number, group: string, bytes: number): boolean {
    const line = this.#lines.get(group);
    const isFirst = line?.[0] === undefined || guest < line[0].guest;
    if (isFirst && this.#fits(group, bytes)) {
      if (line !== undefined) this.#settle(group);
      this.#give(guest, group, bytes);
      return true;
    }
    const asker = { guest, group, bytes };
    if (line === undefined) this.#lines.set(group, [asker]);
    else line.splice(line.filter((one) => one.guest < guest).length, 0, asker);
    this.#patience ??= this.#wait();
    this.#looking ??= setInterval(() => this.#serve(), settleMs).unref();
    return false;
  }

  /** A run does not wait any more; what it holds stays its own. */
  forget(guest: number): void {
    for (const [group, line] of this.#lines) {
      const left = line.filter((one) => one.guest !== guest);
      if (left.length === 0) this.#lines.delete(group);
      else this.#lines.set(group, left);
    }
    this.#serve();
  }

  /** A run gives back what it holds, or what is beyond so many bytes. */
  giveBack(guest: number, keptBytes = 0): void {
    const holder = this.#holders.get(guest);
    if (holder === undefined) return;
    const bytes = holder.bytes - keptBytes;
    if (bytes <= 0) return;
    holder.bytes -= bytes;
    if (holder.bytes === 0) this.#holders.delete(guest);
    this.#held.add(holder.group, -bytes);
    this.#serve();
  }

  #fits(group: string, bytes: number): boolean {
    const free = this.#options.bytes() - this.held - bytes;
    return free >= 0 && this.#held.of(group) + bytes <= timesFree * free;
  }

  #give(guest: number, group: string, bytes: number): void {
    this.#held.add(group, bytes);
    const holder = this.#holders.get(guest);
    if (holder === undefined) this.#holders.set(guest, { group, bytes });
    else holder.bytes += bytes;
  }

  #serve(): void {
    for (const [group, line] of [...this.#lines]) {
      const [asker] = line;
      if (asker === undefined || this.#isSettling(group) || !this.#fits(group, asker.bytes))
        continue;
      line.shift();
      this.#lines.delete(group);
      if (line.length > 0) this.#lines.set(group, line);
      this.#settle(group);
      this.#give(asker.guest, group, asker.bytes);
      this.#options.onGiven(asker.guest, asker.bytes);
    }
    if (this.isShort) return;
    clearTimeout(this.#patience);
    clearInterval(this.#looking);
    this.#patience = undefined;
    this.#looking = undefined;
    this.#givenAt.clear();
  }

  #isSettling(group: string): boolean {
    const givenAt = this.#givenAt.get(group);
    return givenAt !== undefined && performance.now() - givenAt < settleMs;
  }

  #settle(group: string): void {
    this.#givenAt.set(group, performance.now());
    this.#patience?.refresh();
  }

  #wait(): NodeJS.Timeout {
    return setTimeout(() => this.#refuse(), this.#options.patienceMs ?? defaultPatienceMs).unref();
  }

  #refuse(): void {
    this.#patience = undefined;
    const groups = [...this.#lines.keys()];
    groups.sort((one, other) => this.#held.of(other) - this.#held.of(one));
    const asker = this.#lines.get(groups[0] ?? "")?.at(-1);
    if (asker === undefined) return;
    this.#patience = this.#wait();
    this.forget(asker.guest);
    this.#options.onRefused(asker.guest);
  }
}
