import { describe, expect, it, vi } from "vitest";
import type { EventBody } from "../../../src/shared/model.ts";
import { setUpBridge as setUp } from "../../support/bridge.ts";
import { toolOf } from "../../support/requests.ts";

const inline = [toolOf("weather"), toolOf("mail")];
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("a call", () => {
  it("is in the log whole, under an id of the host's, before anybody answers", async () => {
    const t = await setUp({ inline });
    await t.call("weather", '{"location":"NYC","n":9007199254740993}');
    expect(t.log).toEqual([
      {
        type: "tool_call",
        callId: "1",
        callKey: "/1",
        tool: "weather",
        argumentsJson: '{"location":"NYC","n":9007199254740993}',
      },
    ]);
    expect(t.bridge.count).toBe(1);
  });

  it("is answered in the log before the guest sees it", async () => {
    const t = await setUp({ inline });
    const call = await t.call("weather");
    expect(t.bridge.deliver({ callId: "1", resultJson: "[5.0,5]" })).toBe(false);
    await vi.waitFor(() => expect(t.answerTo(call)).toEqual({ call, resultJson: "[5.0,5]" }));
    expect(t.log.at(-1)).toEqual({ type: "tool_result", callId: "1", resultJson: "[5.0,5]" });
    expect(t.steps).toEqual(["tool_call 1", "tool_result 1", "guest 1"]);
  });

  it("is answered among many, in any order, and the guest sees the order of the log", async () => {
    const slow = Promise.withResolvers<void>();
    const append = (event: EventBody) =>
      event.type === "tool_result" && event.callId === "3" ? slow.promise : Promise.resolve();
    const t = await setUp({ inline, append });
    await Promise.all([t.call("weather"), t.call("mail"), t.call("weather")]);
    for (const callId of ["3", "1", "2"]) t.bridge.deliver({ callId, resultJson: callId });
    await settled();
    // The store holds the first of them up; the later ones wait for it.
    expect(t.delivered).toEqual([]);
    slow.resolve();
    await vi.waitFor(() => expect(t.delivered).toHaveLength(3));
    expect(t.delivered.map(({ call }) => call)).toEqual([3, 1, 2]);
    const results = t.log.filter(({ type }) => type === "tool_result");
    expect(results).toMatchObject([{ callId: "3" }, { callId: "1" }, { callId: "2" }]);
  });

  it("that fails gives the guest the failure, its texts cut", async () => {
    const t = await setUp({ inline });
    const call = await t.call("weather");
    const error = { kind: "exception", type: "Oh", message: `${"x".repeat(8191)}é` } as const;
    t.bridge.deliver({ callId: "1", error });
    await vi.waitFor(() =>
      expect(t.answerTo(call)).toEqual({ call, error: { ...error, message: "x".repeat(8191) } }),
    );
  });

  it.each([
    ["an unknown tool", "wether", 'the tool "wether" is not granted: did you mean "weather"?'],
    ["a name that objects have", "__proto__", 'the tool "__proto__" is not granted'],
    ["a method of objects", "toString", 'the tool "toString" is not granted'],
    ["another spelling", "Weather", 'the tool "Weather" is not granted: did you mean "weather"?'],
  ])("of %s is refused, counted and in the log", async (_what, tool, message) => {
    const t = await setUp({ inline });
    const call = await t.call(tool);
    const error = { kind: "not_granted", type: "", message };
    await vi.waitFor(() => expect(t.answerTo(call)).toEqual({ call, error }));
    expect(t.log).toMatchObject([
      { type: "tool_call", tool },
      { type: "tool_result", error },
    ]);
    expect(t.bridge.count).toBe(1);
    expect(t.refusals.calls).toBe(1);
  });

  it("about tools is answered by the host, counted and in the log", async () => {
    const t = await setUp({ inline });
    const call = await t.call("__search__", '{"query":"mail"}');
    await vi.waitFor(() => expect(t.answerTo(call)).toBeDefined());
    expect(JSON.stringify(t.answerTo(call))).toContain("mail");
    expect(t.steps).toEqual(["tool_call 1", "tool_result 1", "guest 1"]);
    expect(t.refusals.calls).toBe(0);
  });

  it("with arguments that are too large is refused, and they are not in the log", async () => {
    const t = await setUp({ inline, payloads: { payloadBytes: 20 } });
    await t.call("weather", '{"a":"1234567890ab"}');
    const call = await t.call("weather", '{"a":"1234567890abc"}');
    await vi.waitFor(() =>
      expect(t.answerTo(call)).toMatchObject({
        error: {
          kind: "invalid_arguments",
          message: "the arguments of weather are 21 bytes of JSON, at most 20 are taken",
        },
      }),
    );
    expect(t.log[1]).toMatchObject({ argumentsJson: "", argumentsOmitted: true });
    expect(t.delivered).toHaveLength(1);
  });

  it("that is not answered in time fails, and a later answer finds it closed", async () => {
    const t = await setUp({ inline, limits: { waitMs: 5 } });
    const call = await t.call("weather");
    await vi.waitFor(() =>
      expect(t.answerTo(call)).toMatchObject({
        error: { kind: "timeout", message: "weather did not answer within 5 ms" },
      }),
    );
    expect(() => t.bridge.deliver({ callId: "1", resultJson: "1" })).toThrow(
      'no call "1" waits for an answer',
    );
    expect(t.delivered).toHaveLength(1);
  });
});

describe("an answer", () => {
  it("given again has no effect and is told so; a different one is refused", async () => {
    const t = await setUp({ inline });
    await t.call("weather");
    expect(t.bridge.deliver({ callId: "1", resultJson: "[1]" })).toBe(false);
    expect(t.bridge.deliver({ callId: "1", resultJson: "[1]" })).toBe(true);
    const error = { kind: "exception", type: "", message: "no" } as const;
    for (const other of [{ resultJson: "[1 ]" }, { error }]) {
      expect(() => t.bridge.deliver({ callId: "1", ...other })).toThrow(
        expect.objectContaining({ kind: "already_exists" }),
      );
    }
    await vi.waitFor(() => expect(t.delivered).toHaveLength(1));
    expect(t.log).toHaveLength(2);
    expect(t.refusals.answers).toBe(2);
  });

  it("that is an error can be given again too", async () => {
    const t = await setUp({ inline });
    await t.call("weather");
    const error = { kind: "exception", type: "E", message: "no" } as const;
    expect(t.bridge.deliver({ callId: "1", error })).toBe(false);
    expect(t.bridge.deliver({ callId: "1", error: { ...error } })).toBe(true);
  });

  it.each(["", "2", "0", "__proto__", "x".repeat(5000)])(
    "to the call %j, which is not open, is refused",
    async (callId) => {
      const t = await setUp({ inline });
      await t.call("weather");
      const deliver = () => t.bridge.deliver({ callId, resultJson: "1" });
      expect(deliver).toThrow(expect.objectContaining({ kind: "not_found" }));
      expect(t.delivered).toEqual([]);
      expect(t.refusals.answers).toBe(1);
    },
  );

  it("to a call that is a service's or the host's to answer is refused", async () => {
    const service = {
      name: "crm",
      tools: async () => [toolOf("find")],
      call: () => new Promise<never>(() => {}),
    };
    const t = await setUp({ inline, services: [service] });
    await t.call("find");
    expect(() => t.bridge.deliver({ callId: "1", resultJson: "1" })).toThrow(
      expect.objectContaining({ kind: "not_found" }),
    );
    t.bridge.close();
  });

  it.each([
    ["not JSON", "{", "the result of weather is not JSON at $: not JSON"],
    ["no value", "", "the result of weather is not JSON at $: not JSON"],
    ["NaN", '{"a":NaN}', "the result of weather is not JSON at $: not JSON"],
    ["too deep", "[".repeat(65), "the result of weather is not JSON at $: nested deeper than 64"],
    [
      "out of range",
      '{"a":[1,1e999]}',
      "the result of weather is not JSON at $.a[1]: the number is out of range",
    ],
    [
      "a lone surrogate",
      '{"a":{"b c":"\\ud800"}}',
      'the result of weather is not JSON at $.a["b c"]: the text has a lone surrogate',
    ],
    [
      "too large",
      `"${"x".repeat(99)}"`,
      "the result of weather is 101 bytes of JSON, at most 100 are taken",
    ],
  ])(
    "that is %s closes the call, for the guest and for who gave it",
    async (_what, json, message) => {
      const t = await setUp({ inline, payloads: { payloadBytes: 100 } });
      const call = await t.call("weather");
      expect(() => t.bridge.deliver({ callId: "1", resultJson: json })).toThrow(
        expect.objectContaining({ kind: "invalid_request", message }),
      );
      const error = { kind: "invalid_result", type: "", message };
      await vi.waitFor(() => expect(t.answerTo(call)).toEqual({ call, error }));
      expect(t.log.at(-1)).toEqual({ type: "tool_result", callId: "1", error });
    },
  );

  it.each(["9007199254740993", "18446744073709551616", "5.0", "-0.0", '"\\u0000"', '""', "null"])(
    "of %s reaches the guest as it is",
    async (resultJson) => {
      const t = await setUp({ inline });
      const call = await t.call("weather");
      t.bridge.deliver({ callId: "1", resultJson });
      await vi.waitFor(() => expect(t.answerTo(call)).toEqual({ call, resultJson }));
    },
  );
});
