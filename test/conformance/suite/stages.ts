import type { GuestEvent } from "../../../src/executors/executor.ts";
import type { RunOptions } from "../../support/programs.ts";
import type { Capability, Programs } from "../programs/programs.ts";
import { given } from "./subject.ts";

/** A moment in the life of a run at which it can be ended. */
export interface Stage {
  readonly title: string;
  readonly needs?: Capability;
  readonly code: (programs: Programs) => string;
  /** Whether the moment has come, by an event of the run. */
  readonly isReached: (event: GuestEvent) => boolean;
  /** How long the run is left alone from there, milliseconds: for what gives no sign. */
  readonly afterMs?: number;
  readonly options?: RunOptions;
}

const isStarted = (event: GuestEvent) => event.type === "started";
const isOutput = (event: GuestEvent) => event.type === "output";
const isCall = (event: GuestEvent) => event.type === "tool_call";
const echo = { tools: [{ name: "echo" }] };
const never = () => new Promise(() => {});

/** Every stage but "before the start" and "after the end", which are tests of their own. */
export const stages: readonly Stage[] = [
  { title: "when it starts", code: ({ spin }) => spin, isReached: isStarted },
  {
    title: "in a silent loop",
    code: ({ spin }) => spin,
    isReached: isStarted,
    afterMs: 100,
  },
  { title: "in a loop", code: ({ readyThenSpin }) => readyThenSpin, isReached: isOutput },
  {
    title: "in a loop that catches everything",
    needs: "catching errors",
    code: ({ catchesAll }) => given(catchesAll),
    isReached: isOutput,
    afterMs: 50,
  },
  {
    title: "asleep",
    needs: "sleep",
    code: ({ sleep }) => given(sleep),
    isReached: isStarted,
    afterMs: 100,
  },
  { title: "while it floods", code: ({ flood }) => flood, isReached: isOutput, afterMs: 50 },
  {
    title: "while it waits for a tool",
    needs: "tools",
    code: ({ tools }) => given(tools).onLine2,
    isReached: isCall,
    afterMs: 20,
    options: { ...echo, onCall: never },
  },
  {
    title: "while it waits for many tools",
    needs: "parallel tools",
    code: ({ tools }) => given(tools?.parallel)(10),
    isReached: (event) => event.type === "tool_call" && event.call === 10,
    options: { ...echo, onCall: never },
  },
  {
    title: "between two calls",
    needs: "tools",
    code: ({ tools }) => given(tools).between,
    isReached: isOutput,
    options: { ...echo, onCall: () => null },
  },
  {
    title: "while it calls a tool again and again",
    needs: "tools",
    code: ({ tools }) => given(tools).endless,
    isReached: (event) => event.type === "tool_call" && event.call === 20,
    options: { ...echo, onCall: (_call, { n }) => n },
  },
];
