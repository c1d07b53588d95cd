import { expect, it } from "vitest";
import { startServer } from "../support/server.ts";
import { noLock } from "../support/toolchain.ts";
import { linesOf, runNode } from "./support/run.ts";

const tenants = Array.from({ length: 10 }, (_, index) => {
  const currency = ["EUR", "NOK", "USD"][index % 3];
  return `client-${index}: client-${index} pays in ${currency}`;
});

it.skipIf(noLock).each([
  [
    "stream.ts",
    "follows a program and takes its typed value",
    [
      "started on cpython, isolation T2",
      "stdout: step 1",
      "stdout: step 2",
      "stdout: step 3",
      "stderr: almost there",
      'completed: {"steps":3}',
    ],
  ],
  ["many-tenants.ts", "gives each tenant the answer to its own context", tenants],
  [
    "grpc-client.ts",
    "reads the wire with nothing but the proto files",
    [
      "stdout: hello from Python",
      "value: 18446744073709551616",
      "FAILURE_REASON_EXCEPTION: ZeroDivisionError: division by zero",
      'streamed: "0\\n1\\n2\\n"',
    ],
  ],
])("examples/%s %s", async (name, _title, lines) => {
  await using server = await startServer();
  const ran = await runNode(`examples/${name}`, { CODEMODE_EXECUTOR_URL: server.url });
  expect(ran).toMatchObject({ exitCode: 0, stderr: "" });
  expect(linesOf(ran.stdout)).toEqual(lines);
});
