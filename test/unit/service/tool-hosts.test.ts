import { expect, it } from "vitest";
import { never, setUpExecutions as setUp } from "../../support/executions.ts";
import { toolOf } from "../../support/requests.ts";

it("refuses the 1,001st tool host of an execution for good, and still lets it be watched", async () => {
  await using t = setUp();
  const started = t.executor.untilStarted("forever");
  await using execution = t.start("forever", { tools: [toolOf("weather")] });
  await started;
  const attach = (answerTools: boolean) =>
    t.executions.attach(execution.executionId, "acme", { afterSequence: 0, answerTools }, never);
  // The caller that started it was the first.
  for (let host = 2; host <= 1_000; host++) await (await attach(true))[Symbol.asyncDispose]();
  await expect(attach(true)).rejects.toMatchObject({
    kind: "out_of_range",
    message: "the execution has had 1000 tool hosts, and takes no more: it can only be watched",
    retryable: false,
  });
  await using _ = await attach(false);
  expect(t.executions.stats().followers).toBe(1);
});
