import { describe, expect, it } from "vitest";
import { parseJson } from "../../../src/shared/json.ts";
import { answerMeta } from "../../../src/tools/meta.ts";
import { toolOf } from "../../support/requests.ts";

const weather = toolOf("weather", {
  description: "Current weather",
  inputSchemaJson: '{"properties":{"location":{"type":"string"}},"required":["location"]}',
  outputSchemaJson: '{"type":"number","default":5.0,"big":9007199254740993}',
  readOnly: true,
  callForm: "async",
});
const tools = [weather, toolOf("mail", { description: "Sends mail", idempotent: true })];

function answer(name: string, given: object): unknown {
  const answered = answerMeta(name, JSON.stringify(given), { tools, language: "python" });
  if (answered === undefined) throw new Error("not answered");
  return "error" in answered ? answered.error : parseJson(answered.resultJson);
}

describe("__list__", () => {
  it("tells every tool, and how it is called", () => {
    expect(answer("__list__", {})).toEqual([
      {
        name: "weather",
        description: "Current weather",
        signature: "weather(location: str) -> float",
        read_only: true,
        idempotent: false,
        call_form: "async",
      },
      {
        name: "mail",
        description: "Sends mail",
        signature: "mail(**arguments) -> Any",
        read_only: false,
        idempotent: true,
        call_form: "auto",
      },
    ]);
  });

  it("takes no arguments", () => {
    expect(answer("__list__", { all: true })).toMatchObject({
      kind: "invalid_arguments",
      message: '__list__(): it has no argument "all"',
    });
  });
});

describe("__schema__", () => {
  it("tells one tool's schemas, exactly as they were declared", () => {
    const answered = answerMeta("__schema__", '{"name":"weather"}', { tools, language: "python" });
    expect(answered).toEqual({
      resultJson:
        '{"name":"weather","description":"Current weather",' +
        '"signature":"weather(location: str) -> float",' +
        `"input_schema":${weather.inputSchemaJson},"output_schema":${weather.outputSchemaJson}}`,
    });
  });

  it("tells an empty schema for a tool that takes anything", () => {
    expect(answer("__schema__", { name: "mail" })).toMatchObject({
      input_schema: {},
      output_schema: {},
    });
  });

  it.each([
    [
      { name: "wether" },
      "not_granted",
      'the tool "wether" is not granted: did you mean "weather"?',
    ],
    [{ name: "x" }, "not_granted", 'the tool "x" is not granted'],
    [
      {},
      "invalid_arguments",
      "__schema__(name: str): name must be text of at most 4096 characters",
    ],
    [
      { tool: "weather", name: 1 },
      "invalid_arguments",
      '__schema__(name: str): it has no argument "tool"; name must be text of at most 4096 characters',
    ],
  ])("refuses %j", (given, kind, message) => {
    expect(answer("__schema__", given)).toEqual({ kind, type: "", message });
  });
});

describe("__search__", () => {
  it("tells the tools that fit, with how well", () => {
    expect(answer("__search__", { query: "send mail" })).toEqual([
      expect.objectContaining({
        name: "mail",
        signature: "mail(**arguments) -> Any",
        score: expect.any(Number),
      }),
    ]);
    expect(answer("__search__", { query: "mail weather", limit: 1 })).toHaveLength(1);
  });

  it.each([
    [{}, "query must be text"],
    [{ query: "x".repeat(4097) }, "query must be text"],
    [{ query: "x", limit: 0 }, "limit must be an integer from 1 to 100"],
    [{ query: "x", limit: 1.5 }, "limit must be an integer from 1 to 100"],
    [{ query: "x", limit: 101 }, "limit must be an integer from 1 to 100"],
    [{ query: "x", limit: null }, "limit must be an integer from 1 to 100"],
  ])("refuses %j", (given, fault) => {
    expect(answer("__search__", given)).toMatchObject({
      kind: "invalid_arguments",
      message: expect.stringContaining(`__search__(query: str, limit: int = 10): ${fault}`),
    });
  });
});

it.each(["weather", "__proto__", "__lists__", "constructor"])("leaves %s to others", (name) => {
  expect(answerMeta(name, "{}", { tools, language: "python" })).toBeUndefined();
});
