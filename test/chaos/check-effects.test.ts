import { expect, it } from "vitest";
import { executionThat, goodStory, namesOf } from "./history.ts";
import type { Story } from "./story.ts";

/** A story of which one more execution gave an answer that its caller's cancel made. */
function cancelledBefore(startTime: Date | undefined): Story {
  const story = goodStory();
  story.deeds.add("cancelled");
  const executionId = "i-other";
  const result = { status: "failed", reason: "cancelled", message: "" } as const;
  story.answers.push({ reader: "lead", executionId, result, stdout: "", stdoutOmittedBytes: 0 });
  story.executions = [{ ...executionThat(new Date()), executionId, startTime }];
  return story;
}

it("counts no run of what was cancelled before it started, whose id was free again", () => {
  expect(namesOf(cancelledBefore(undefined))).toEqual([]);
});

it("counts the run of what was cancelled after it started", () => {
  expect(namesOf(cancelledBefore(new Date()))).toContain("double run");
});
