import { expect, it } from "vitest";
import { startServer } from "../support/server.ts";
import { noLock } from "../support/toolchain.ts";
import { linesOf, run, runNode } from "./support/run.ts";

const tenants = Array.from({ length: 10 }, (_, index) => {
  const currency = ["EUR", "NOK", "USD"][index % 3];
  return `client-${index}: client-${index} pays in ${currency}`;
});

it.skipIf(noLock).each([
  [
    "stream.ts",
    "follows a program and takes its typed value",
    [
      expect.stringMatching(/^started on cpython, isolation T[23]$/),
      "stdout: step 1",
      "stdout: step 2",
      "stdout: step 3",
      "stderr: almost there",
      'completed: {"steps":3}',
    ],
  ],
  [
    "javascript.ts",
    "runs JavaScript and TypeScript with its tools",
    [
      "apples 12",
      "pears 0",
      "plums 7",
      "sold out: pears",
      "[ 'ToolError', 'in_stock', 'no such product: bananas' ]",
      "18446744073709551616n",
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

it.skipIf(noLock)("the demo shows what the service does, and ends well", async () => {
  const ran = await runNode("examples/demo.ts", {});
  expect(ran).toMatchObject({ exitCode: 0, stderr: "" });
  const expected = [
    "=> int 4",
    '=> str {"status": "success", "value": 42}',
    'stdout    "34\\n"',
    "=> 10 different answers",
    "failed: exception at line 2: ZeroDivisionError: division by zero",
    "failed: timeout: the program ran longer than 500 ms",
    "no weather: no station in Atlantis",
    "=> str sent to user_123: Cairo is warmest, 31 degrees",
    "PermissionError: [Errno 1] Operation not permitted",
    "=> dict {}",
  ];
  for (const text of expected) expect(ran.stdout).toContain(text);
  expect(ran.stdout).toMatch(/isolation T[23] by the word of its probes/);
  // Behind one wall it is refused, behind two it is not there.
  expect(ran.stdout).toMatch(
    /PermissionError: \[Errno 13\] Permission denied: '\/etc\/passwd'|FileNotFoundError: \[Errno 2\] .*'\/etc\/passwd'/,
  );
  expect(ran.stdout.match(/Errno 1\] Operation not permitted {3}\(/g)).toHaveLength(2);
});

it.skipIf(noLock || process.arch !== "x64")(
  "the demo says which layer is missing, and goes on with what there is",
  async () => {
    const launcher = ["test/isolation/fixtures/old-kernel.py", "38", "444"];
    const node = [process.execPath, "--conditions=codemode-source", "examples/demo.ts"];
    const ran = await run("python3", [...launcher, ...node]);
    expect(ran.exitCode).toBe(0);
    expect(ran.stdout).toContain("this kernel does not give landlock ([Errno 38]");
    expect(ran.stdout).toContain("=> int 4");
  },
);
