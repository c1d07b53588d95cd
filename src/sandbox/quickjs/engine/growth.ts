import { OutOfMemory } from "./guest-memory.ts";
import type { RunControl } from "./run-control.ts";
import { killed, RunStop } from "./run-end.ts";

/** Options of a `Growth`. */
export interface GrowthOptions {
  readonly control: RunControl;
  /** Asks for room for so many more pages of memory. */
  readonly askRoom: (pages: number) => void;
  /** Frees what the thread holds for runs that have ended. */
  readonly collect: () => void;
}

// Beyond what it is begun with, a run's memory grows by such steps.
const stepPages = 64;
const noRoom = "out of memory: others hold what the engine has";

/** The growth of one run's memory, for which its thread may have to wait. */
export class Growth {
  readonly #options: GrowthOptions;

  constructor(options: GrowthOptions) {
    this.#options = options;
  }

  /** Blocks until there is room for a memory that has grown by so many pages in all. Throws to end the run. */
  awaitRoom(grownPages: number): void {
    const { control, askRoom } = this.#options;
    let isAsked = false;
    for (;;) {
      const { wakes, roomPages } = control;
      if (roomPages >= grownPages) return;
      if (control.isKilled) throw new RunStop(killed);
      if (control.isRefusedRoom) throw new OutOfMemory(noRoom);
      this.collect();
      if (!isAsked) askRoom(Math.max(grownPages - roomPages, stepPages));
      isAsked = true;
      control.awaitRoom(wakes);
    }
  }

  /** Frees what the thread holds for nobody, where it has been asked to. */
  collect(): void {
    if (this.#options.control.takeCollect()) this.#options.collect();
  }
}
