const states = { fresh: 0, waiting: 1, executing: 2, ended: 3 } as const;
const stateAt = 0;
const killedAt = 1;
const creditAt = 2;
const beatAt = 3;
const standsAt = 4;
const takesTurnsAt = 5;
const roomAt = 6;
const refusedAt = 7;
const wakesAt = 8;
const waitsForRoomAt = 9;
const collectsAt = 10;
const integers = 12; // one more than there are: doubles follow, at a multiple of 8 bytes
const usedAt = 0;
const enteredAt = 1;
const memoryAt = 2;
const doubles = 3;
const controlBytes = 4 * integers + 8 * doubles;

/**
 * What the engine's main thread and the thread of a run share: whether it executes, whether it is
 * killed, whether it is to stand still, how much it may send, and the CPU time that it has used. Either
 * side may end it, once.
 */
export class RunControl {
  readonly buffer: SharedArrayBuffer;
  readonly #flags: Int32Array;
  readonly #times: Float64Array;

  constructor(buffer = new SharedArrayBuffer(controlBytes)) {
    this.buffer = buffer;
    this.#flags = new Int32Array(buffer, 0, integers);
    this.#times = new Float64Array(buffer, 4 * integers, doubles);
  }

  /** The thread begins to execute; false when the run has ended. `cpuMs` is the thread's own. */
  enter(cpuMs: number): boolean {
    this.#times[enteredAt] = cpuMs;
    return this.#changeFromRest(states.executing);
  }

  /** The thread has stopped executing; false when the run has been ended. */
  leave(cpuMs: number): boolean {
    this.#times[usedAt] = this.usedMs(cpuMs);
    return this.#change(states.executing, states.waiting);
  }

  /** Ends a run that waits, or has not begun; false when it executes, or has ended. */
  endWaiting(): boolean {
    return this.#changeFromRest(states.ended);
  }

  /** Ends a run that executes; false when it waits, or has ended. */
  endExecuting(): boolean {
    return this.#change(states.executing, states.ended);
  }

  get isExecuting(): boolean {
    return Atomics.load(this.#flags, stateAt) === states.executing;
  }

  /** Whether it has not begun. */
  get isFresh(): boolean {
    return Atomics.load(this.#flags, stateAt) === states.fresh;
  }

  /** Whether it has begun, and waits for something. */
  get isWaiting(): boolean {
    return Atomics.load(this.#flags, stateAt) === states.waiting;
  }

  /** CPU time of the run, milliseconds, while it executes and its thread has used `cpuMs`. */
  usedMs(cpuMs: number): number {
    return this.waitedMs + Math.max(0, cpuMs - (this.#times[enteredAt] ?? 0));
  }

  /** CPU time of the run when it last waited, milliseconds. */
  get waitedMs(): number {
    return this.#times[usedAt] ?? 0;
  }

  /** It is to end as soon as it can. */
  kill(): void {
    Atomics.store(this.#flags, killedAt, 1);
    // A thread that is about to wait for credit sees another value, and looks again.
    this.give(1);
    this.#wake();
    this.goOn();
  }

  get isKilled(): boolean {
    return Atomics.load(this.#flags, killedAt) === 1;
  }

  /** It is to stand still until `goOn`, as soon as it can; one that is killed does not. */
  stand(): void {
    if (!this.isKilled) Atomics.store(this.#flags, standsAt, 1);
  }

  /** It need not stand still any more. */
  goOn(): void {
    if (Atomics.exchange(this.#flags, standsAt, 0) === 1) Atomics.notify(this.#flags, standsAt);
  }

  get isStanding(): boolean {
    return Atomics.load(this.#flags, standsAt) === 1;
  }

  /** Whether somebody has to be told when it waits: another's turn begins then. */
  get takesTurns(): boolean {
    return Atomics.load(this.#flags, takesTurnsAt) === 1;
  }

  set takesTurns(takesTurns: boolean) {
    Atomics.store(this.#flags, takesTurnsAt, takesTurns ? 1 : 0);
  }

  /** Blocks its thread for as long as it is to stand still. */
  awaitTurn(): void {
    while (this.isStanding) Atomics.wait(this.#flags, standsAt, 1);
  }

  /** The run may send so many bytes more. */
  give(bytes: number): void {
    Atomics.add(this.#flags, creditAt, bytes);
    Atomics.notify(this.#flags, creditAt);
  }

  /** Takes leave to send at most so many bytes; blocks while there is none. 0 when the run is killed. */
  take(maxBytes: number): number {
    for (;;) {
      if (this.isKilled) return 0;
      const credit = Atomics.load(this.#flags, creditAt);
      if (credit > 0) {
        const taken = Math.min(credit, maxBytes);
        Atomics.sub(this.#flags, creditAt, taken);
        return taken;
      }
      Atomics.wait(this.#flags, creditAt, credit);
    }
  }

  /** Its memory may grow by so many pages more. */
  giveRoom(pages: number): void {
    Atomics.add(this.#flags, roomAt, pages);
    this.#wake();
  }

  /** It is given no room for its memory any more. */
  refuseRoom(): void {
    Atomics.store(this.#flags, refusedAt, 1);
    this.#wake();
  }

  get isRefusedRoom(): boolean {
    return Atomics.load(this.#flags, refusedAt) === 1;
  }

  /** Pages by which its memory may grow in all. */
  get roomPages(): number {
    return Atomics.load(this.#flags, roomAt);
  }

  /**
   * Blocks its thread until something has happened since `wakes` was read: there is more room, or none to
   * come, or the run is killed, or the thread is to free what it holds for nobody.
   */
  awaitRoom(wakes: number): void {
    Atomics.store(this.#flags, waitsForRoomAt, 1);
    Atomics.wait(this.#flags, wakesAt, wakes);
    Atomics.store(this.#flags, waitsForRoomAt, 0);
  }

  /** Its thread is blocked until there is room: it computes nothing. */
  get waitsForRoom(): boolean {
    return Atomics.load(this.#flags, waitsForRoomAt) === 1;
  }

  /** How often something has happened that ends a wait for room. */
  get wakes(): number {
    return Atomics.load(this.#flags, wakesAt);
  }

  /** Its thread, which executes it and hears nothing else, is to free what it holds for nobody. */
  askToCollect(): void {
    Atomics.store(this.#flags, collectsAt, 1);
    this.#wake();
  }

  /** Whether the thread has been asked to free what it holds; once for each time. */
  takeCollect(): boolean {
    if (Atomics.load(this.#flags, collectsAt) === 0) return false;
    return Atomics.exchange(this.#flags, collectsAt, 0) === 1;
  }

  /** The thread lives: whoever watches from outside need not. */
  beat(): void {
    Atomics.add(this.#flags, beatAt, 1);
  }

  /** Memory of the instance, bytes. */
  get memoryBytes(): number {
    return this.#times[memoryAt] ?? 0;
  }

  set memoryBytes(bytes: number) {
    this.#times[memoryAt] = bytes;
  }

  get beats(): number {
    return Atomics.load(this.#flags, beatAt);
  }

  #wake(): void {
    Atomics.add(this.#flags, wakesAt, 1);
    Atomics.notify(this.#flags, wakesAt);
  }

  /** From waiting, or from not having begun. */
  #changeFromRest(to: number): boolean {
    return this.#change(states.waiting, to) || this.#change(states.fresh, to);
  }

  #change(from: number, to: number): boolean {
    return Atomics.compareExchange(this.#flags, stateAt, from, to) === from;
  }
}
