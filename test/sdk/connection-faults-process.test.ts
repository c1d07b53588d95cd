import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { idleFaults, strike } from "../support/idle-faults.ts";
import { certFile } from "../support/tls/localhost.ts";
import { startRefusing, type Wire } from "./support/refusing-service.ts";

/** A caller in a process of its own; disposal kills it. */
function startCaller(url: string, wire: Wire) {
  const fixture = fileURLToPath(new URL("fixtures/idle-caller.ts", import.meta.url));
  const args = [fixture, url, ...(wire === "TLS" ? [certFile] : [])];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "pipe"] });
  // Of a caller that has ended the answers tell.
  child.stdin.on("error", () => {});
  const ended = Promise.all([once(child, "exit"), text(child.stderr)]);
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    /** Has it let so many turns of its loop pass, and call; gives how that failed, or how the process ended. */
    async call(turns: number) {
      child.stdin.write(`${turns}\n`);
      const { value, done } = await lines.next();
      return done ? await ended : value;
    },
    /** Resolves with its exit code and what it said of its errors. */
    async end() {
      child.stdin.end();
      const [[code], stderr] = await ended;
      return { code, stderr };
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

it.each(["the clear", "TLS"] as const)(
  "a caller's process outlives whatever becomes of its idle connection, and calls again: %s",
  async (wire) => {
    const { url, connections } = await startRefusing(wire);
    await using caller = startCaller(url, wire);
    expect(await caller.call(0)).toBe("not_found");
    for (const [title, fault] of idleFaults) {
      // The next call comes while the end of the session is under way, or after it.
      for (let turns = 1; turns <= 8; turns++) {
        strike(connections, fault);
        expect(await caller.call(turns), `${title}, a call after ${turns} turns`).toBe("not_found");
      }
    }
    expect(connections.length).toBeGreaterThan(idleFaults.length);
    expect(await caller.end()).toEqual({ code: 0, stderr: "" });
  },
  60_000,
);
