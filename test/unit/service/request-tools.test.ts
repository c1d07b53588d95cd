import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { ExecutionRequestSchema } from "../../../gen/es/codemode/v1/execution_pb.ts";
import { ToolCallForm } from "../../../gen/es/codemode/v1/tool_pb.ts";
import { parseExecutionRequest } from "../../../src/service/request.ts";
import { CodemodeError } from "../../../src/shared/errors.ts";
import { roomyLimits } from "../../support/requests.ts";

function parse(init: MessageInitShape<typeof ExecutionRequestSchema>, toolServices = ["crm"]) {
  const bounds = {
    defaultLimits: roomyLimits,
    maxLimits: roomyLimits,
    maxCodeBytes: 100,
    maxKeepWithoutReaderMs: 0,
    languages: ["python"],
    toolServices,
  };
  const message = create(ExecutionRequestSchema, { code: "x", ...init });
  return parseExecutionRequest(message, bounds, "c-1");
}

function violations(
  init: MessageInitShape<typeof ExecutionRequestSchema>,
  toolServices?: string[],
) {
  try {
    parse(init, toolServices);
  } catch (error) {
    if (CodemodeError.is(error) && error.kind === "invalid_request") return error.violations;
    throw error;
  }
  throw new Error("the request was taken");
}

it("takes declarations with all that they say", () => {
  const tool = {
    name: "weather",
    description: "Weather",
    inputSchemaJson: '{"type":"object"}',
    outputSchemaJson: "{}",
    callForm: ToolCallForm.SYNC,
    readOnly: true,
    idempotent: true,
  };
  expect(parse({ tools: [tool, { name: "b" }] }).tools).toMatchObject([
    { ...tool, callForm: "sync" },
    { name: "b", inputSchemaJson: "", callForm: "auto", readOnly: false },
  ]);
});

it("names every fault of every declaration at once", () => {
  const tools = [{ name: "" }, { name: "a", inputSchemaJson: "[" }, { name: "a" }];
  expect(violations({ tools, toolServices: ["erp"] })).toEqual([
    { field: "request.tools[0].name", description: "is empty" },
    {
      field: "request.tools[1].input_schema_json",
      description: "is not a JSON Schema: $: not JSON",
    },
    { field: "request.tools[2].name", description: '"a" is that of request.tools[1]' },
    { field: "request.tool_services", description: 'is "erp", known are crm' },
  ]);
});

it("takes 1,000 tools and not one more", () => {
  const tools = Array.from({ length: 1_001 }, (_, index) => ({ name: `t${index}` }));
  expect(parse({ tools: tools.slice(1) }).tools).toHaveLength(1_000);
  expect(violations({ tools })).toEqual([
    { field: "request.tools", description: "are 1001 tools, at most 1000" },
  ]);
});

it("takes 4 MiB of schemas in all and not a byte more", () => {
  const full = `{"title":"${"x".repeat(64 * 1024 - 12)}"}`;
  const tools = Array.from({ length: 32 }, (_, index) => ({
    name: `t${index}`,
    inputSchemaJson: full,
    outputSchemaJson: full,
  }));
  expect(parse({ tools }).tools).toHaveLength(32);
  expect(violations({ tools: [...tools, { name: "e", inputSchemaJson: "{}" }] })).toEqual([
    {
      field: "request.tools",
      description: "have 4194306 bytes of schemas in all, at most 4194304",
    },
  ]);
});

it("takes the names of configured services, each once", () => {
  expect(parse({ toolServices: ["crm", "crm"] }).toolServices).toEqual(["crm"]);
});

it.each([
  ["a stranger", ["127.0.0.1:9000"], ["crm", "erp"], 'is "127.0.0.1:9000", known are crm, erp'],
  ["any where there is none", ["crm"], [], 'is "crm", none is configured'],
])("refuses %s", (_what, asked, known, description) => {
  expect(violations({ toolServices: asked }, known)).toEqual([
    { field: "request.tool_services", description },
  ]);
});
