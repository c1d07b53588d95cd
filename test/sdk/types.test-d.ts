import { describe, expectTypeOf, it } from "vitest";
import { z } from "zod";
import {
  Codemode,
  type CompletedResult,
  type ConnectOptions,
  type Detached,
  type ExecuteOptions,
  type Execution,
  type ExecutionResult,
  type ExecutionSummary,
  type FailedResult,
  type FailureReason,
  type JsonValue,
  type StreamEvent,
  unwrap,
  withContext,
} from "../../src/index.ts";

const codemode = Codemode.connect({ url: "http://127.0.0.1:8001" });
const schema = z.object({ total: z.number(), when: z.coerce.date() });
type Report = { total: number; when: Date };

describe("execute", () => {
  it("gives a JSON value or nothing without a schema", () => {
    expectTypeOf(codemode.execute("1")).resolves.toEqualTypeOf<
      ExecutionResult<JsonValue | undefined>
    >();
    expectTypeOf(codemode.execute({ code: "1" })).resolves.toEqualTypeOf<ExecutionResult>();
    expectTypeOf(codemode.execute("1", { timeoutMs: 5 })).resolves.toEqualTypeOf<ExecutionResult>();
  });

  it("takes the value's type from the schema's output", () => {
    expectTypeOf(codemode.execute("1", { output: schema })).resolves.toEqualTypeOf<
      ExecutionResult<Report>
    >();
    expectTypeOf(codemode.execute({ code: "1", output: schema })).resolves.toEqualTypeOf<
      ExecutionResult<Report>
    >();
  });

  it("is narrowed by its status", async () => {
    const result = await codemode.execute("1", { output: schema });
    if (result.status === "completed") {
      expectTypeOf(result).toEqualTypeOf<CompletedResult<Report>>();
      expectTypeOf(result.value.when).toEqualTypeOf<Date>();
      // @ts-expect-error a completed result has no error
      result.error;
    } else {
      expectTypeOf(result).toEqualTypeOf<FailedResult>();
      expectTypeOf(result.error.reason).toEqualTypeOf<FailureReason | "invalid_output">();
      // @ts-expect-error a failed result has no value
      result.value;
    }
  });

  it("is unwrapped to the value's type", async () => {
    expectTypeOf(unwrap(await codemode.execute("1", { output: schema }))).toEqualTypeOf<Report>();
    expectTypeOf(unwrap(await codemode.execute("1"))).toEqualTypeOf<JsonValue | undefined>();
  });

  it("refuses a type that no schema stands for", () => {
    // @ts-expect-error a value's type comes from a schema, never from a claim
    codemode.execute<{ total: number }>("1");
  });
});

describe("stream", () => {
  it("gives an execution of the same value", async () => {
    const execution = codemode.stream("1", { output: schema });
    expectTypeOf(execution).toEqualTypeOf<Execution<Report>>();
    expectTypeOf(execution.outcome).resolves.toEqualTypeOf<ExecutionResult<Report>>();
    expectTypeOf(execution.id).resolves.toEqualTypeOf<string>();
    for await (const event of execution) {
      expectTypeOf(event).toEqualTypeOf<StreamEvent>();
      if (event.type === "output") expectTypeOf(event.channel).toEqualTypeOf<"stdout" | "stderr">();
      if (event.type === "unknown") expectTypeOf(event.sequence).toEqualTypeOf<number>();
    }
  });
});

describe("attach", () => {
  it("gives an execution, of the schema's value where there is one", () => {
    expectTypeOf(codemode.attach("id")).toEqualTypeOf<Execution<JsonValue | undefined>>();
    expectTypeOf(codemode.attach("id", { output: schema })).toEqualTypeOf<Execution<Report>>();
    expectTypeOf(codemode.attach("id").detach()).resolves.toEqualTypeOf<Detached>();
  });

  it("takes what detach gave", async () => {
    const place = await codemode.stream("1").detach();
    expectTypeOf(codemode.attach).toBeCallableWith(place.executionId, place);
    expectTypeOf(codemode.attach).toBeCallableWith("id", { afterSequence: 3, answerTools: true });
    // @ts-expect-error a request's options do not belong to an execution that runs
    codemode.attach("id", { limits: { wallMs: 5 } });
  });
});

describe("executions", () => {
  it("are found by either id, and listed one by one", async () => {
    expectTypeOf(codemode.getExecution("id")).resolves.toEqualTypeOf<ExecutionSummary>();
    expectTypeOf(codemode.getExecution).toBeCallableWith({ requestId: "r" });
    expectTypeOf(codemode.cancelExecution("id")).resolves.toEqualTypeOf<ExecutionSummary>();
    for await (const execution of codemode.listExecutions({ state: "running" })) {
      expectTypeOf(execution).toEqualTypeOf<ExecutionSummary>();
    }
    // @ts-expect-error no such state
    codemode.listExecutions({ state: "done" });
  });
});

describe("the context", () => {
  it("takes what a Struct holds, and no more", () => {
    withContext({ client_id: "acme", nested: { list: [1, null, true] } }, () => undefined);
    // @ts-expect-error a bigint loses digits
    withContext({ id: 1n }, () => undefined);
    codemode.with({ id: undefined }); // is left out
    // @ts-expect-error neither is a function
    codemode.execute("1", { context: { id: () => 1 } });
  });

  it("gives back what the function gives", () => {
    expectTypeOf(withContext({}, () => 1)).toEqualTypeOf<number>();
    expectTypeOf(codemode.withContext({}, async () => "x")).resolves.toEqualTypeOf<string>();
    expectTypeOf(codemode.with({})).toEqualTypeOf<Codemode>();
  });
});

describe("options", () => {
  it("may be undefined one by one", () => {
    const apiKey: string | undefined = process.env.KEY;
    expectTypeOf({ url: "x", apiKey, timeoutMs: undefined }).toExtend<ConnectOptions>();
    expectTypeOf({ language: "ruby", signal: undefined }).toExtend<ExecuteOptions>();
    expectTypeOf({ requestId: "r", keepWithoutReaderMs: 0 }).toExtend<ExecuteOptions>();
    expectTypeOf(Codemode.connect).toBeCallableWith({ url: ["x", "y"], retryBudget: false });
    expectTypeOf({ url: "x", retryBudget: { maxTokens: 5 } }).toExtend<ConnectOptions>();
  });

  it("need a url", () => {
    // @ts-expect-error no url
    Codemode.connect({ apiKey: "k" });
    expectTypeOf(Codemode.fromEnv).toBeCallableWith({ timeoutMs: 5 });
  });
});
