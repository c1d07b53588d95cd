import { execFile } from "node:child_process";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { startWalled } from "../../src/sandbox/wall/start.ts";

const run = promisify(execFile);
const fixture = fileURLToPath(new URL("fixtures/few-descriptors.ts", import.meta.url));

it("says of a process that cannot be started why, whoever listens and however", async () => {
  using started = startWalled(["/nonexistent/program"]);
  const lines: string[] = [];
  createInterface({ input: started.child.stderr }).on("line", (line) => lines.push(line));
  started.child.stdout.resume();
  expect(await text(started.channel)).toBe("");
  expect(await started.exited).toEqual({ code: 127, signal: null });
  expect(lines).toEqual(["spawn /nonexistent/program ENOENT"]);
});

it("starts nothing where no descriptors are left, and the service goes on", async () => {
  const script = 'ulimit -n 64; exec "$0" "$1"';
  const { stdout } = await run("sh", ["-c", script, process.execPath, fixture]);
  expect(stdout).toBe("no descriptors are left for another process\n");
});
