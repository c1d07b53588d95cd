import type { Outcome } from "../../src/shared/model.ts";
import { type Fault, faultKinds } from "./acts.ts";
import type { Blow } from "./blows.ts";
import type { Kind } from "./programs.ts";
import type { Story } from "./story.ts";

const clocks: readonly Kind[] = ["near_wall", "near_active", "near_wait"];

/** Counts of what happened, by name. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(name: string, count = 1): void {
    if (count > 0) this.#counts.set(name, this.of(name) + count);
  }

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** All of them, by name. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Counts the faults that a plan has; none of a kind is told, too. */
  addPlanned(faults: readonly Fault[]): void {
    for (const kind of faultKinds) {
      this.#counts.set(`fault ${kind}: planned`, 0);
      this.#counts.set(`fault ${kind}: hit`, 0);
    }
    for (const { kind } of faults) this.add(`fault ${kind}: planned`);
  }

  /** Counts the programs whose end was explained by blows. */
  addVictims(blows: readonly Blow[]): void {
    for (const { kind, victims } of blows) this.add(`fault ${kind}: programs ended`, victims.size);
  }

  /** Counts what a story had. */
  addStory(story: Story): void {
    this.#addPrograms(story);
    this.#addReaders(story);
    this.#addLogs(story);
  }

  #addPrograms({ act, effects, begins, executions, views, logs }: Story): void {
    const { kind, language } = act.program;
    this.add("acts");
    this.add("requests with an id", act.requestId === "" ? 0 : 1);
    this.add("programs begun", begins.length);
    this.add(`${language}: programs begun`, begins.length);
    this.add("tool effects", effects.length);
    this.add(`${language}: tool effects`, effects.length);
    for (const { kind } of act.beside) this.add(`beside: ${kind}`);
    for (const { outcome } of executions) {
      if (outcome !== undefined) this.add(`${language}: ${wordOf(outcome)}`);
    }
    if (!clocks.includes(kind)) return;
    const [end] = [...logs, ...views].flatMap(({ events }) =>
      events.flatMap((event) => (event.type === "finished" ? [event.outcome] : [])),
    );
    if (end !== undefined) this.add(`clock ${kind}: ${pressOf(end)}`);
  }

  #addReaders({ views, answers, notes }: Story): void {
    this.add("readers", views.length);
    this.add("unary answers", answers.length);
    this.add(
      "events seen",
      views.reduce((sum, { events }) => sum + events.length, 0),
    );
    this.add("re-attaches by hand", views.filter(({ reader }) => / back /.test(reader)).length);
    this.add("re-attaches of the SDK", views.filter(cameBack).length);
    for (const what of ["cut", "drop", "stall", "detached"]) {
      this.add(`left: ${what}`, notes.filter((text) => text.includes(`: ${what} `)).length);
    }
    for (const { end } of views) {
      if (end?.how === "failed") this.add(`reader's status: ${end.kind}`);
    }
  }

  #addLogs({ logs, begins }: Story): void {
    const having = (type: string) =>
      logs.map(({ events }) => events.filter((event) => event.type === type).length);
    this.add("logs read whole", logs.filter(({ status }) => status === undefined).length);
    this.add("logs trimmed", having("trimmed").filter((count) => count > 0).length);
    for (const count of having("tool_host_changed")) this.add("tool hosts changed", count);
    const isGone = begins.length > 0 && logs.length === 0;
    this.add("logs that were gone when they were to be read", isGone ? 1 : 0);
    for (const { status } of logs) if (status !== undefined) this.add(`log's status: ${status}`);
  }
}

/** Whether the SDK lost its connection and read on. */
function cameBack({ via, isDisturbed, end }: Story["views"][number]): boolean {
  return via === "sdk" && isDisturbed && end !== undefined && end.how !== "failed";
}

function wordOf(outcome: Outcome): string {
  return outcome.status === "completed" ? "completed" : outcome.error.reason;
}

/** How the race with a clock went. */
function pressOf(outcome: Outcome): string {
  if (outcome.status === "failed") {
    return outcome.error.reason === "timeout" ? "ran out" : "ended otherwise";
  }
  return outcome.value.json?.includes('"gave up"') ? "ran out" : "in time";
}
