// A process of its own inside a wall: is told its aims, says what came of its attempts, and ends.
import { Socket } from "node:net";
import { createInterface } from "node:readline";
import { attemptEscape } from "./attempts.ts";
import type { Aims } from "./targets.ts";

const channel = new Socket({ fd: 3, readable: true, writable: true });
createInterface({ input: channel }).once("line", async (line) => {
  const attempted = await attemptEscape(JSON.parse(line) as Aims);
  channel.end(`${JSON.stringify(attempted)}\n`);
});
