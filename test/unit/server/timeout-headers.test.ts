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

it.each([2 ** 31 - 1, 2 ** 31, 10 ** 10])("passes no timer's longest under %d ms", (maxMs) => {
  const headers = { "grpc-timeout": "99999999H", "connect-timeout-ms": "9999999999" };
  capTimeouts(headers, maxMs);
  expect(headers).toEqual({ "grpc-timeout": "2147483S", "connect-timeout-ms": "2147483647" });
});

it("gives no part of a millisecond, and never no time at all", () => {
  const headers = { "grpc-timeout": "10S", "connect-timeout-ms": "10000" };
  capTimeouts(headers, 999.5);
  expect(headers).toEqual({ "grpc-timeout": "1S", "connect-timeout-ms": "999" });
});

it("adds nothing where no deadline was sent", () => {
  const headers = {};
  capTimeouts(headers, 60_000);
  expect(headers).toEqual({});
});
