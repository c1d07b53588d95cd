import { setTimeout as sleep } from "node:timers/promises";
import type { Story } from "./story.ts";

/** A connection that can stall. */
export interface Stallable {
  stall(): Disposable;
  knock(): Promise<unknown>;
}

/** Nothing comes through for so long; what is sent meanwhile comes then, whoever has given up. */
export function stallFor(story: Story, connection: Stallable, ms: number): void {
  const stall = connection.stall();
  story.stalls.push(sleep(ms).then(() => stall[Symbol.dispose]()));
}

/** Resolves when the service has all that was sent in a story: before that nothing of it is over. */
export async function arrived(story: Story, connection: Stallable): Promise<void> {
  if (story.stalls.length === 0) return;
  await Promise.all(story.stalls);
  // What a broken connection did not bring is lost.
  await connection.knock().catch(() => {});
}
