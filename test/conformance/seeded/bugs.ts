import { eventBugs } from "./event-bugs.ts";
import { leftoverBugs } from "./leftover-bugs.ts";
import { runBugs } from "./run-bugs.ts";
import type { SeededBug } from "./spoil.ts";

/** One of each kind of bug that an engine can have. */
export const seededBugs: readonly SeededBug[] = [...eventBugs, ...runBugs, ...leftoverBugs];
