import { Tally } from "../../../shared/tally.ts";

/** Options of a `MemoryRoom`. */
export interface MemoryRoomOptions {
  /** What all runs may hold together, bytes. */
  readonly bytes: number;
  /** A run that waits for memory is given what it asked for. */
  readonly onGiven: (guest: number, bytes: number) => void;
  /** A run that waits for memory is not to have it. */
  readonly onRefused: (guest: number) => void;
}

/** A run that asks for memory. */
export interface Asker {
  readonly guest: number;
  readonly group: string;
  readonly bytes: number;
  /** It has not begun: it asks for little, and does not wait behind those that grow. */
  readonly isNew: boolean;
}

/** The runs of a group that wait, the oldest first. */
interface Line {
  readonly askers: Asker[];
  /** When one of them was last given something or refused, or the first began to wait. */
  movedAt: number;
  /** When one of them was last given something. */
  givenAt: number;
}

const lookMs = 100;
// Where none of a group that waits has been given anything for so long, a run is refused.
const patienceMs = 1_000;
// A run that has been given memory asks again within a moment if it needs more: until then nobody of its
// group gets what it could need, or each of them would have a part and none enough.
const settleMs = 100;
// However much a group wants, it leaves a ninth of what there is for others; two of them leave a seventeenth.
const timesFree = 8;

/**
 * The memory of an engine's process, which its runs hold. What does not fit waits: groups in turn, and of
 * each the oldest run, so that it comes to its end. Where nothing moves any more, the youngest run that
 * wants to grow, of the group that holds most, is refused.
 */
export class MemoryRoom {
  readonly #options: MemoryRoomOptions;
  /** Bytes, by group. */
  readonly #held = new Tally();
  readonly #holders = new Map<number, { readonly group: string; bytes: number }>();
  /** In the order of their turns. */
  readonly #lines = new Map<string, Line>();
  #looking: NodeJS.Timeout | undefined;

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

  /**
   * A run asks for memory: true when it holds it from now on. Otherwise it waits, or is refused at once
   * where it could not have it if nobody else had any.
   */
  ask(asker: Asker): boolean {
    const { guest, group, bytes } = asker;
    const line = this.#lines.get(group);
    const isNext = asker.isNew || line?.askers[0] === undefined || guest < line.askers[0].guest;
    if (isNext && this.#fits(asker)) {
      if (line !== undefined) this.#noteGiven(line);
      this.#give(asker);
      return true;
    }
    if (!this.#couldFit((this.#holders.get(guest)?.bytes ?? 0) + bytes)) {
      this.#options.onRefused(guest);
      return false;
    }
    const now = performance.now();
    if (line === undefined) {
      this.#lines.set(group, { askers: [asker], movedAt: now, givenAt: Number.NEGATIVE_INFINITY });
    } else {
      line.askers.splice(line.askers.filter((one) => one.guest < guest).length, 0, asker);
    }
    this.#looking ??= setInterval(() => this.#look(), lookMs).unref();
    return false;
  }

  /** A run does not wait any more; what it holds stays its own. */
  forget(guest: number): void {
    for (const [group, { askers }] of this.#lines) {
      const index = askers.findIndex((one) => one.guest === guest);
      if (index >= 0) this.#take(group, index);
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

  #fits({ group, bytes }: Asker): boolean {
    const free = this.#options.bytes - this.held - bytes;
    return free >= 0 && this.#held.of(group) + bytes <= timesFree * free;
  }

  /** Whether a run could hold so much if it were alone. */
  #couldFit(bytes: number): boolean {
    return bytes <= timesFree * (this.#options.bytes - bytes);
  }

  #give({ guest, group, bytes }: Asker): void {
    this.#held.add(group, bytes);
    const holder = this.#holders.get(guest);
    if (holder === undefined) this.#holders.set(guest, { group, bytes });
    else holder.bytes += bytes;
  }

  #noteGiven(line: Line): void {
    line.givenAt = performance.now();
    line.movedAt = line.givenAt;
  }

  #serve(): void {
    for (const [group, line] of [...this.#lines]) {
      const isSettling = performance.now() - line.givenAt < settleMs;
      const index = line.askers.findIndex(
        (asker, place) => (asker.isNew || (place === 0 && !isSettling)) && this.#fits(asker),
      );
      const asker = this.#take(group, index);
      if (asker === undefined) continue;
      // Its next turn comes after those of the others.
      if (this.#lines.delete(group)) this.#lines.set(group, line);
      this.#noteGiven(line);
      this.#give(asker);
      this.#options.onGiven(asker.guest, asker.bytes);
    }
    if (this.isShort) return;
    clearInterval(this.#looking);
    this.#looking = undefined;
  }

  /** Takes an asker out of its line. */
  #take(group: string, index: number): Asker | undefined {
    const { askers = [] } = this.#lines.get(group) ?? {};
    const [asker] = index < 0 ? [] : askers.splice(index, 1);
    if (askers.length === 0) this.#lines.delete(group);
    return asker;
  }

  #look(): void {
    this.#serve();
    const now = performance.now();
    const stuck = [...this.#lines.values()].filter(({ movedAt }) => now - movedAt >= patienceMs);
    if (stuck.length === 0) return;
    for (const line of stuck) line.movedAt = now;
    const groups = [...this.#lines.keys()];
    groups.sort((one, other) => this.#held.of(other) - this.#held.of(one));
    const all = groups.flatMap((group) => this.#lines.get(group)?.askers.toReversed() ?? []);
    const asker = all.find(({ isNew }) => !isNew) ?? all[0];
    if (asker === undefined) return;
    this.forget(asker.guest);
    this.#options.onRefused(asker.guest);
  }
}
