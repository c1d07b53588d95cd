import type { Story } from "./story.ts";

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

  /** Counts what a story had. */
  addStory({ act, views, effects, answers, begins, logs, executions, notes }: Story): void {
    this.add("acts");
    this.add("requests with an id", act.requestId === "" ? 0 : 1);
    this.add("programs begun", begins.length);
    this.add("effects of callers' tools", effects.length);
    this.add("readers", views.length);
    this.add("unary answers", answers.length);
    this.add(
      "events seen",
      views.reduce((sum, { events }) => sum + events.length, 0),
    );
    this.add("re-attachments", views.filter(({ reader }) => reader.includes(" back ")).length);
    this.add("cuts", notes.filter((text) => text.includes(": cut ")).length);
    this.add("drops", notes.filter((text) => text.includes(": drop ")).length);
    this.add("stalls", notes.filter((text) => text.includes(": stall ")).length);
    this.add("detached", notes.filter((text) => text.includes(": detached ")).length);
    for (const { kind } of act.beside) this.add(`beside: ${kind}`);
    this.add("logs read whole", logs.filter(({ status }) => status === undefined).length);
    this.add(
      "logs trimmed",
      logs.filter((log) => log.events.some((e) => e.type === "trimmed")).length,
    );
    this.add(
      "tool hosts changed",
      logs.reduce(
        (sum, { events }) => sum + events.filter((e) => e.type === "tool_host_changed").length,
        0,
      ),
    );
    this.add(
      "programs whose log was gone when it was to be read",
      begins.length > 0 && logs.length === 0 ? 1 : 0,
    );
    for (const { status } of logs) if (status !== undefined) this.add(`log status: ${status}`);
    for (const { end } of views)
      if (end?.how === "failed") this.add(`reader's status: ${end.kind}`);
    for (const { outcome } of executions) {
      if (outcome === undefined) continue;
      this.add(`ended: ${outcome.status === "completed" ? "completed" : outcome.error.reason}`);
    }
  }
}
