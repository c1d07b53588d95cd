import type { Act } from "./acts.ts";
import type { Violation } from "./check.ts";
import { type Effect, openStory, type Story } from "./story.ts";

/** A violation of the run as a whole, which belongs to no story that is open. */
export type Stray = Violation;

/** Every story that is open, and what must hold over all of them. */
export class Ledger {
  readonly #open = new Map<string, Story>();
  /** Started executions by tenant and request id. */
  readonly #runs = new Map<string, Set<string>>();
  /** Effects of stories that were checked, and how many there were then. */
  readonly #checked: {
    readonly token: string;
    readonly effects: readonly Effect[];
    readonly count: number;
  }[] = [];
  readonly #strays: Stray[] = [];

  /** Opens the story of an act. */
  open(act: Act, tenant: string): Story {
    const story = openStory(act, tenant);
    this.#open.set(act.token, story);
    return story;
  }

  /** A program said that it runs. */
  begin(
    token: string,
    {
      executionId,
      context,
    }: { readonly executionId: string; readonly context: Readonly<Record<string, unknown>> },
  ): void {
    const story = this.#open.get(token);
    if (story === undefined) {
      this.#strays.push({ name: "late effect", detail: `${token} began in ${executionId}` });
      return;
    }
    story.begins.push(executionId);
    if (context.token !== token || context.tenant !== story.tenant) {
      const detail = `${token} began under the context of ${context.token}, ${context.tenant}`;
      this.#strays.push({ name: "foreign context", detail });
    }
  }

  /** Closes a story that is over; gives what is wrong with its request id. */
  close(story: Story): Violation[] {
    const { act, tenant, effects } = story;
    this.#open.delete(act.token);
    if (effects.length > 0) {
      this.#checked.push({ token: act.token, effects, count: effects.length });
    }
    if (act.requestId === "") return [];
    const key = `${tenant}/${act.requestId}`;
    const runs = this.#runs.get(key) ?? new Set<string>();
    this.#runs.set(key, runs);
    for (const executionId of story.begins) runs.add(executionId);
    if (runs.size < 2) return [];
    return [{ name: "double run", detail: `${key} ran as ${[...runs].join(", ")}` }];
  }

  /** What belongs to no story; asked for at the end. */
  strays(): readonly Stray[] {
    const late = this.#checked.filter(({ effects, count }) => effects.length > count);
    return [
      ...this.#strays,
      ...late.map(({ token }) => ({ name: "late effect", detail: `of ${token}, after its end` })),
      ...[...this.#open.keys()].map((token) => ({ name: "hung act", detail: token })),
    ];
  }
}
