import { describe, expect, it } from "vitest";
import { differingFields, fingerprintOf } from "../../../src/service/idempotency-fingerprint.ts";
import type { ExecutionRequest, JsonObject } from "../../../src/shared/model.ts";
import { requestOf, roomyLimits, toolOf } from "../../support/requests.ts";

const base: Partial<ExecutionRequest> = {
  context: { user: "u-1", roles: ["a", "b"], nested: { x: 1, y: 2n ** 60n } },
  tools: [toolOf("weather"), toolOf("search")],
  toolServices: ["default"],
};

function differing(one: Partial<ExecutionRequest>, other: Partial<ExecutionRequest>): string[] {
  const fingerprint = (fields: Partial<ExecutionRequest>) =>
    fingerprintOf(requestOf("x = 1", { ...base, ...fields }));
  return differingFields(fingerprint(one), fingerprint(other));
}

describe("the fingerprint of a request", () => {
  it.each<[string, Partial<ExecutionRequest>]>([
    ["request.code", { code: "x = 2" }],
    ["request.language", { language: "typescript" }],
    ["request.context", { context: { ...base.context, user: "u-2" } }],
    ["request.config", { config: { user: "u-1" } }],
    ["request.limits", { limits: { ...roomyLimits, toolCalls: 101 } }],
    ["request.tools", { tools: [toolOf("weather", { readOnly: true }), toolOf("search")] }],
    ["request.tool_services", { toolServices: [] }],
    ["request.keep_without_reader", { keepWithoutReaderMs: 1 }],
  ])("tells a request with another %s", (field, fields) => {
    expect(differing({}, fields)).toEqual([field]);
  });

  it("names all that differs, in the order of the request", () => {
    const other = { toolServices: [], code: "", config: { a: 1 } };
    expect(differing({}, other)).toEqual([
      "request.code",
      "request.config",
      "request.tool_services",
    ]);
  });

  it("is the same for another request id and another correlation id", () => {
    expect(differing({ requestId: "a", correlationId: "b" }, {})).toEqual([]);
  });

  it.each<[string, JsonObject, JsonObject]>([
    ["members", { a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }],
    ["members of members of lists", { a: [{ b: 1, c: 2 }] }, { a: [{ c: 2, b: 1 }] }],
  ])("is the same for %s in another order", (_title, context, other) => {
    expect(differing({ context }, { context: other })).toEqual([]);
  });

  it.each<[string, JsonObject, JsonObject]>([
    ["items in another order", { a: [1, 2] }, { a: [2, 1] }],
    ["a number and its text", { a: 1 }, { a: "1" }],
    ["a member that is null and none", { a: null }, {}],
    ["members called __proto__", JSON.parse('{"__proto__": 1}'), JSON.parse('{"__proto__": 2}')],
    ["neighbours among large integers", { a: 2n ** 60n }, { a: 2n ** 60n + 1n }],
  ])("tells %s apart", (_title, context, other) => {
    expect(differing({ context }, { context: other })).toEqual(["request.context"]);
  });

  it("is as short for a long request as for any", () => {
    const long = fingerprintOf(requestOf("x = 1\n".repeat(100_000)));
    expect(long).toHaveLength(fingerprintOf(requestOf("")).length);
    expect(long.length).toBeLessThan(100);
  });
});
