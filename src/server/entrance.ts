import { FairQueue } from "../shared/fair-queue.ts";
import type { Pace } from "./pace.ts";

// Begun in one turn of the loop: with what follows from it some milliseconds at most.
const perTurn = 1;
// Node's own part of a call that is reset at once is 0.035 ms, measured. Each counts four times as much,
// since some 20,000 of them leave the collector a stop of 50 ms.
const droppedMs = 0.15;
// Between two looks whether one of those who rest may go on.
const lookMs = 2;

/** A connection, a call or a large message that has come. */
export interface Coming {
  /** Whose turn it takes: a network's, a tenant's, or that of a connection which nobody has claimed. */
  readonly group: string;
  /** Of the connection that brings it; undefined for one that brings nothing else meanwhile. */
  readonly pace: Pace | undefined;
  /** Whoever made it has left already. */
  isOver(): boolean;
  begin(): void;
}

/** Options of an `Entrance`. */
export interface EntranceOptions {
  /** Whether something of a group may begin now; what may not, waits. */
  readonly mayBegin: (group: string) => boolean;
}

/**
 * Begins what comes a little in each turn of the loop, that of each group in turn, so that however
 * much of one comes at once, others' is begun between it. What is over by then is never begun.
 */
export class Entrance {
  readonly #waiting = new FairQueue<Coming>();
  readonly #mayBegin: (group: string) => boolean;
  #turn: NodeJS.Immediate | undefined;
  #look: NodeJS.Timeout | undefined;

  constructor({ mayBegin }: EntranceOptions) {
    this.#mayBegin = mayBegin;
  }

  /** Begins it in this turn of the loop or a later one. */
  enter(coming: Coming): void {
    coming.pace?.enter();
    this.#waiting.push(coming.group, coming);
    this.#proceed();
  }

  #proceed(): void {
    clearTimeout(this.#look);
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined;
      this.#serve();
    });
  }

  #serve(): void {
    let begun = 0;
    while (begun < perTurn) {
      const coming = this.#waiting.take(this.#mayBegin);
      if (coming === undefined) break;
      coming.pace?.leave();
      if (coming.isOver()) {
        coming.pace?.spend(droppedMs);
        continue;
      }
      begun += 1;
      coming.begin();
    }
    if (this.#waiting.size === 0) return;
    if (begun === perTurn) this.#proceed();
    // All that waits is of those who are at rest.
    else this.#look = setTimeout(() => this.#proceed(), lookMs);
  }
}
