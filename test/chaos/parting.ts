import type { ExecutionEvent } from "../../src/shared/model.ts";
import type { Act } from "./acts.ts";
import type { Violation } from "./check.ts";
import { requestOf } from "./peer.ts";
import { tenants } from "./plan.ts";
import { toError } from "./reading.ts";
import type { World } from "./world.ts";

/** Programs that run when the service is told to end. Disposing them closes their connections. */
export interface Parting extends AsyncDisposable {
  /** What is wrong with how they ended; asked for when the service has. */
  violations(): Promise<readonly Violation[]>;
}

// Longer than the service waits for those that run.
const sleepMs = 15_000;

/** Starts a program of each tenant in each language; resolves when all of them run. */
export async function startParting(world: World, languages: readonly string[]): Promise<Parting> {
  await using starting = new AsyncDisposableStack();
  const ends = await Promise.all(
    tenants
      .flatMap((tenant) => languages.map((language) => ({ tenant, language })))
      .map(async ({ tenant, language }) => {
        const peer = starting.use(await world.generated(tenant));
        const options = { isInteractive: false, timeoutMs: undefined };
        const { events } = peer.start(requestOf(actOf(tenant, language), tenant), options);
        const iterator = events[Symbol.asyncIterator]();
        await iterator.next();
        // In an object: a promise would be waited for.
        return { last: lastOf({ [Symbol.asyncIterator]: () => iterator }) };
      }),
  );
  const resources = starting.move();
  return {
    async violations() {
      const reasons = await Promise.all(ends.map(({ last }) => last));
      return reasons
        .filter((reason) => reason !== "abandoned")
        .map((reason) => ({ name: "bad parting", detail: `a program that ran ended: ${reason}` }));
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** How a log ended, in a word; never rejects. */
async function lastOf(events: AsyncIterable<ExecutionEvent>): Promise<string> {
  let last = "without an event";
  try {
    for await (const event of events) last = wordOf(event);
    return last;
  } catch (error) {
    const { kind, message } = toError(error);
    return `${kind}: ${message}`;
  }
}

function wordOf(event: ExecutionEvent): string {
  if (event.type !== "finished") return event.type;
  const { outcome } = event;
  return outcome.status === "failed" ? outcome.error.reason : outcome.status;
}

function actOf(tenant: string, language: string): Act {
  const program = { kind: "sleep", language, count: 1, ms: sleepMs, slackMs: 0 } as const;
  const plain = { pauseMs: 0, slowMs: 0, leaves: [], beside: [], deadlineMs: undefined } as const;
  return {
    ...plain,
    token: `parting-${tenant}-${language}`,
    program,
    road: "stream",
    requestId: "",
    keepMs: 0,
  };
}
