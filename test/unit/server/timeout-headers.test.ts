import { expect, it } from "vitest";
import { capTimeouts } from "../../../src/server/timeout-headers.ts";

it.each([
  ["grpc-timeout", "99999999H", "60S"],
  ["grpc-timeout", "61S", "60S"],
  ["grpc-timeout", "60S", "60S"],
  ["grpc-timeout", "1500m", "1500m"],
  ["grpc-timeout", "soon", "soon"],
  ["connect-timeout-ms", "9999999999", "60000"],
  ["connect-timeout-ms", "250", "250"],
  ["connect-timeout-ms", "99999999999", "99999999999"],
])("%s: %s becomes %s under a longest deadline of a minute", (name, given, expected) => {
  const headers = { [name]: given };
  capTimeouts(headers, 60_000);
  expect(headers).toEqual({ [name]: expected });
});

it("adds nothing where no deadline was sent", () => {
  const headers = {};
  capTimeouts(headers, 60_000);
  expect(headers).toEqual({});
});
