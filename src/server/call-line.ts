import { FairQueue } from "../shared/fair-queue.ts";
import type { Pace } from "./pace.ts";
import { Refusals } from "./refusals.ts";

// Begun in one turn of the loop: with what follows from it some milliseconds at most.
const perTurn = 1;
// Node's own part of a call that is reset at once is 0.035 ms, measured. Each counts four times as much,
// since some 20,000 of them leave the collector a stop of 50 ms.
const droppedMs = 0.15;
// Between two looks whether one of those who rest may go on.
const lookMs = 2;

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
 * one come at once, others' are begun between them. One that is over by then is never begun, and an
 * owner whose calls are refused one after the other waits between them.
 */
export class CallLine {
  readonly #calls = new FairQueue<ComingCall>();
  readonly #refusals = new Refusals();
  readonly #ownerOf: (group: string) => string;
  #turn: NodeJS.Immediate | undefined;
  #look: NodeJS.Timeout | undefined;

  /** `ownerOf` says to whom the calls of a group belong by now: some came before it was known. */
  constructor(ownerOf: (group: string) => string) {
    this.#ownerOf = ownerOf;
  }

  /** Begins a call in this turn of the loop or a later one. */
  enter(call: ComingCall): void {
    call.pace?.enter();
    this.#calls.push(call.group, call);
    this.#proceed();
  }

  /** Says that a call of the owner was refused before its message was read. */
  refused(owner: string): void {
    this.#refusals.add(owner);
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
      const call = this.#calls.take((group) => this.#refusals.restMs(this.#ownerOf(group)) === 0);
      if (call === undefined) break;
      call.pace?.leave();
      if (call.isOver()) {
        call.pace?.spend(droppedMs);
        continue;
      }
      begun += 1;
      call.begin();
    }
    if (this.#calls.size === 0) return;
    if (begun === perTurn) this.#proceed();
    // All whose calls wait are at rest.
    else this.#look = setTimeout(() => this.#proceed(), lookMs);
  }
}
