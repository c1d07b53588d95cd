import { describe, expect, it } from "vitest";
import { Codemode, type StreamEvent } from "../../src/index.ts";
import { CodemodeError } from "../../src/shared/errors.ts";
import type { EventBody } from "../../src/shared/model.ts";
import { toConnectError } from "../../src/shared/status.ts";
import { toEventMessage } from "../../src/shared/wire/event.ts";
import { quick } from "./support/cuttable.ts";
import { createLog, executionId, outcomeOf, success } from "./support/messages.ts";
import { type Script, startScriptedService } from "./support/scripted-service.ts";

const messageOf = (sequence: number, body: EventBody) => ({
  event: toEventMessage({ ...body, sequence, time: new Date(0), attempt: 1 }),
});

const behind = () => toConnectError(new CodemodeError("out_of_range", "events 2 to 5 are gone"));

/** A service that has dropped the output of the events 2 to 5 by the time it is attached to. */
function trimming(afters: number[], first: NonNullable<Script["executeStream"]>): Script {
  return {
    executeStream: first,
    async *attachExecution({ afterSequence }) {
      afters.push(Number(afterSequence));
      if (afterSequence > 0n && afterSequence < 5n) throw behind();
      yield { attached: { lastSequence: 7n } };
      yield createLog().started();
      yield messageOf(5, { type: "trimmed", firstSequence: 2, omittedBytes: 40 });
      yield messageOf(6, { type: "output", channel: "stdout", text: "end" });
      yield messageOf(7, { type: "finished", outcome: outcomeOf(success("1")) });
    },
  };
}

async function read(script: Script) {
  await using service = await startScriptedService(script);
  await using codemode = Codemode.connect({ url: service.url, retry: quick });
  const execution = codemode.stream("x");
  const events: StreamEvent[] = [];
  for await (const event of execution) events.push(event);
  return { events, result: await execution.outcome };
}

const expected = [
  { type: "started", sequence: 1 },
  { type: "output", sequence: 2 },
  { type: "output", sequence: 3 },
  { type: "trimmed", sequence: 5, firstSequence: 4, omittedBytes: 30 },
  { type: "output", sequence: 6, text: "end" },
  { type: "finished", sequence: 7 },
];

describe("output that was dropped while a stream was cut", () => {
  it("shows as one mark of what was not read, and all the rest is given", async () => {
    const afters: number[] = [];
    const { events, result } = await read(
      trimming(afters, async function* () {
        const log = createLog();
        yield log.started();
        yield log.output("12345");
        yield log.output("12345");
        // Ends without an outcome, as a connection that is closed in order does.
      }),
    );
    expect(events).toMatchObject(expected);
    expect(result).toMatchObject({ value: 1, stdout: "1234512345end", executionId });
    expect(afters).toEqual([3, 0]);
  });

  it("is the same for a reader that fell behind", async () => {
    const { events } = await read(
      trimming([], async function* () {
        const log = createLog();
        yield log.started();
        yield log.output("12345");
        yield log.output("12345");
        throw behind();
      }),
    );
    expect(events).toMatchObject(expected);
  });
});

describe("a service without attachments", () => {
  it("leaves a lost execution lost, with the first error", async () => {
    const failed = read({
      async *executeStream() {
        yield createLog().started();
      },
    });
    await expect(failed).rejects.toMatchObject({
      kind: "execution_lost",
      message: "the stream ended without an outcome",
    });
  });
});
