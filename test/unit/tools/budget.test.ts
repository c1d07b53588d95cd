import { expect, it } from "vitest";
import { setUpBridge as setUp } from "../../support/bridge.ts";
import { toolOf } from "../../support/requests.ts";

const inline = [toolOf("weather")];

it("counts what the log holds of a call beside its arguments", async () => {
  // "{}", "/1" and "weather" are 11 bytes, and each call is 256 more.
  const t = await setUp({ inline, payloads: { totalPayloadBytes: 2 * (11 + 256) } });
  await t.call("weather");
  await t.call("weather");
  expect(t.stops).toEqual([]);
  await t.call("weather");
  expect(t.stops).toMatchObject([{ reason: "tool_budget" }]);
  expect(t.log).toHaveLength(2);
});

it("counts long names of tools that nobody grants", async () => {
  const t = await setUp({ inline, payloads: { totalPayloadBytes: 2_000 } });
  await t.call("é".repeat(1_000));
  expect(t.stops).toMatchObject([{ reason: "tool_budget" }]);
});

it("bounds the arguments of one call by themselves", async () => {
  const t = await setUp({ inline, payloads: { payloadBytes: 2 } });
  await t.call("weather");
  expect(t.log).toMatchObject([{ type: "tool_call", argumentsJson: "{}" }]);
});
