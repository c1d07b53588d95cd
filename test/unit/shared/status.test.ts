import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { ErrorInfoSchema } from "../../../gen/es/google/rpc/error_details_pb.ts";
import { CodemodeError, type ErrorKind } from "../../../src/shared/errors.ts";
import { fromConnectError, pushbackTrailer, toConnectError } from "../../../src/shared/status.ts";

const kinds: [ErrorKind, Code, boolean][] = [
  ["invalid_request", Code.InvalidArgument, false],
  ["unauthenticated", Code.Unauthenticated, false],
  ["permission_denied", Code.PermissionDenied, false],
  ["not_found", Code.NotFound, false],
  ["already_exists", Code.AlreadyExists, false],
  ["out_of_range", Code.OutOfRange, false],
  ["unsupported", Code.Unimplemented, false],
  ["overloaded", Code.ResourceExhausted, true],
  ["unavailable", Code.Unavailable, true],
  ["deadline_exceeded", Code.DeadlineExceeded, false],
  ["cancelled", Code.Canceled, false],
  ["execution_lost", Code.Aborted, false],
  ["internal", Code.Internal, false],
];

describe("status", () => {
  it.each(kinds)("carries %s there and back with all its details", (kind, code, retryable) => {
    const details = {
      correlationId: "c-1",
      executionId: "i-1",
      retryAfterMs: 1500,
      violations: [{ field: "request.code", description: "is empty" }],
      quota: [{ subject: "tenant:acme", description: "8 executions at once" }],
    };
    const status = toConnectError(new CodemodeError(kind, "what went wrong", details));
    expect(status.code).toBe(code);
    const error = fromConnectError(status);
    expect(error).toMatchObject({ kind, retryable, message: "what went wrong" });
    expect(error).toEqual(expect.objectContaining(details));
    expect(CodemodeError.is(error)).toBe(true);
  });

  it("keeps the cause on this side", () => {
    const cause = new Error("postgres://user:secret@host");
    const status = toConnectError(CodemodeError.from(cause));
    expect(status.rawMessage).toBe("internal error");
    expect(status.findDetails(ErrorInfoSchema)).toMatchObject([
      { reason: "INTERNAL", metadata: { kind: "internal" } },
    ]);
  });

  it("tells gRPC retry policies to keep off what reads as safe to retry and is not", () => {
    const of = (kind: ErrorKind, retryable?: boolean) =>
      toConnectError(new CodemodeError(kind, "x", { retryable })).metadata.get(pushbackTrailer);
    expect(of("execution_lost")).toBe("-1");
    expect([of("unavailable"), of("overloaded")]).toEqual([null, null]);
    expect([of("unavailable", false), of("overloaded", false)]).toEqual(["-1", "-1"]);
    const final = new CodemodeError("overloaded", "x", { retryable: false });
    expect(fromConnectError(toConnectError(final)).retryable).toBe(false);
  });

  it.each([
    ["250", { retryable: true, retryAfterMs: 250 }],
    ["-1", { retryable: false, retryAfterMs: undefined }],
    ["soon", { retryable: false, retryAfterMs: undefined }],
  ])("honours a pushback of %s", (pushback, expected) => {
    const status = toConnectError(new CodemodeError("overloaded", "not now"));
    status.metadata.set(pushbackTrailer, pushback);
    expect(fromConnectError(status)).toMatchObject(expected);
  });

  it("takes the longer story of RetryInfo before a pushback", () => {
    const status = toConnectError(new CodemodeError("overloaded", "x", { retryAfterMs: 1_500 }));
    status.metadata.set(pushbackTrailer, "250");
    expect(fromConnectError(status).retryAfterMs).toBe(1_500);
  });

  it("never calls a status retryable that another than this service made", () => {
    const error = fromConnectError(new ConnectError("upstream gone", Code.Unavailable));
    expect(error).toMatchObject({ kind: "unavailable", retryable: false });
  });

  it("reads a code that the table does not know as internal", () => {
    expect(fromConnectError(new ConnectError("?", Code.DataLoss)).kind).toBe("internal");
  });
});

it("knows an error of another copy of the package", async () => {
  const path = "../../../src/shared/errors.ts?copy";
  const copy = (await import(path)) as typeof import("../../../src/shared/errors.ts");
  const error = new copy.CodemodeError("internal", "x");
  expect(error).not.toBeInstanceOf(CodemodeError);
  expect(CodemodeError.is(error)).toBe(true);
  expect(CodemodeError.from(error)).toBe(error);
});

it("keeps a status below 4 KiB of base64, and says how many faults it leaves out", () => {
  const violations = Array.from({ length: 200 }, (_, index) => ({
    field: `tools[${index}].input_schema.${"x".repeat(300)}`,
    description: "é".repeat(1_000),
  }));
  const error = new CodemodeError("invalid_request", "é".repeat(5_000), { violations });
  const status = toConnectError(error);
  const bytes = status.details.reduce((sum, detail) => {
    if (!("desc" in detail)) return sum;
    const message = create(detail.desc, detail.value as MessageInitShape<typeof detail.desc>);
    return sum + toBinary(detail.desc, message).length;
  }, Buffer.byteLength(status.rawMessage));
  expect((bytes * 4) / 3).toBeLessThan(4 * 1024);
  const read = fromConnectError(status).violations;
  expect(read[0]?.field).toMatch(/^tools\[0\]/);
  expect(read.at(-1)).toEqual({ field: "", description: `and ${200 - read.length + 1} more` });
});
