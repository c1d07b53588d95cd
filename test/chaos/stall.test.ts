import { expect, it } from "vitest";
import { connectClient } from "../support/client.ts";
import { createScriptedExecutor } from "../support/scripted-executor.ts";
import { startServer } from "../support/server.ts";
import { connectGenerated } from "./generated-peer.ts";
import { connectRaw } from "./raw-peer.ts";
import { arrived, stallFor } from "./stall.ts";
import { openStory } from "./story.ts";

it.each([
  ["generated", connectGenerated],
  ["raw", connectRaw],
])("is over with a stall once the service has what was sent meanwhile (%s)", async (_, connect) => {
  await using executor = createScriptedExecutor({ late: () => 0 });
  await using server = await startServer({ executors: [executor] });
  await using peer = await connect(server.url, "");
  using auditor = connectClient(server.url);
  const listed = async () => (await auditor.executor.listExecutions({})).executions.length;
  const story = openStory({} as never, "");
  await peer.knock();
  stallFor(story, peer, 100);
  const request = { code: "late", language: "python" };
  const reading = peer.start(request, { isInteractive: false, timeoutMs: undefined });
  const read = lastOf(reading.events);
  expect(await listed()).toBe(0);
  await arrived(story, peer);
  expect(await listed()).toBe(1);
  expect(await read).toMatchObject({ type: "finished" });
});

async function lastOf<T>(items: AsyncIterable<T>): Promise<T | undefined> {
  let last: T | undefined;
  for await (const item of items) last = item;
  return last;
}
