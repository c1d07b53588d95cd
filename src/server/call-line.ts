import { FairQueue } from "../shared/fair-queue.ts";
import type { Pace } from "./pace.ts";

// Begun in one turn of the loop: with what follows from it some milliseconds at most.
const perTurn = 1;
// Node's own part of a call that is reset at once, measured.
const droppedMs = 0.03;

/** A call that has come. */
export interface ComingCall {
  /** Whose turn it takes: a tenant, or a connection that nobody has claimed. */
  readonly group: string;
  /** Of its connection; undefined where that brings one call at a time. */
  readonly pace: Pace | undefined;
  /** Its caller has left already. */
  isOver(): boolean;
  begin(): void;
}

/**
 * Begins calls a few in each turn of the loop, those of each group in turn, so that however many of
 * one come at once, others' are begun between them. One that is over by then is never begun.
 */
export class CallLine {
  readonly #calls = new FairQueue<ComingCall>();
  #isServing = false;

  /** Begins a call in this turn of the loop or a later one. */
  enter(call: ComingCall): void {
    call.pace?.enter();
    this.#calls.push(call.group, call);
    if (this.#isServing) return;
    this.#isServing = true;
    setImmediate(() => this.#serve());
  }

  #serve(): void {
    let begun = 0;
    while (begun < perTurn) {
      const call = this.#calls.take(() => true);
      if (call === undefined) break;
      call.pace?.leave();
      if (call.isOver()) {
        call.pace?.spend(droppedMs);
        continue;
      }
      begun += 1;
      call.begin();
    }
    this.#isServing = this.#calls.size > 0;
    if (this.#isServing) setImmediate(() => this.#serve());
  }
}
