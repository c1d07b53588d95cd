import { expect, it } from "vitest";
import { formatInfo } from "../../../src/cli/info.ts";
import { describeEngines } from "../../../src/cli/serve.ts";
import { parseConfig } from "../../../src/server/config.ts";
import type { EngineInfo } from "../../../src/shared/model.ts";

const cpython: EngineInfo = {
  name: "cpython",
  languages: ["python"],
  up: true,
  reason: "",
  version: "3.11.7",
  isolationTier: "T2",
  probes: [
    { name: "fork", refused: true, detail: "EPERM" },
    { name: "read a file of the host", refused: false, detail: "" },
  ],
  warnings: ["one wall is thin"],
};
const down: EngineInfo = {
  ...cpython,
  name: "quickjs",
  languages: ["javascript", "typescript"],
  up: false,
  reason: "landlock: ENOSYS",
  version: "",
  isolationTier: undefined,
  probes: [],
  warnings: [],
};

it("shows engines, probes and limits to people", () => {
  const { defaultLimits, maxLimits } = parseConfig();
  const text = formatInfo({
    version: "0.1.0",
    instanceId: "abc",
    engines: [cpython, down],
    defaultLimits,
    maxLimits,
    maxCodeBytes: 1024 * 1024,
    maxKeepWithoutReaderMs: 300_000,
    requiredIsolationTier: "T2",
    queueTimeoutMs: 10_000,
  });
  expect(text).toBe(`codemode 0.1.0, instance abc
requires isolation T2; waits 10 s for a slot

cpython 3.11.7 (python): up, isolation T2
  warning: one wall is thin
  refused   fork                     EPERM
  POSSIBLE  read a file of the host

quickjs (javascript, typescript): not up: landlock: ENOSYS

limit                  default  at most
wall time              30 s     600 s
cpu time               30 s     600 s
one tool call          60 s     600 s
memory                 256 MiB  2 GiB
output                 10 MiB   1 GiB
tool calls             1000     100000
tool calls at once     100      1000
threads                64       64
code                            1 MiB
life without a reader           300 s
`);
});

it("says in one line which engines are up, and what was proven of them", () => {
  expect(describeEngines([cpython, down])).toBe("cpython 3.11.7 (T2)");
});
