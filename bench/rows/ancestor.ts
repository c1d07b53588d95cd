import { type ChildProcessWithoutNullStreams, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { connect } from "../clients.ts";
import { installOpencodemode } from "../opencodemode/install.ts";
import { startServerProcess } from "../server-process.ts";
import { summarize, timeMs } from "../stats.ts";
import { formatRatio, type Row, times } from "../table.ts";

const calls = 30;
const file = (name: string) => fileURLToPath(new URL(`../opencodemode/${name}`, import.meta.url));

/** `result = 2 + 2` by `opencodemode` 0.2.x, its own server and client, and by ours. */
export async function ancestor(): Promise<Row[]> {
  let python: string;
  try {
    python = await installOpencodemode();
  } catch (error) {
    return [{ figure: "opencodemode 0.2.x, `result = 2 + 2`", beside: `not run: ${why(error)}` }];
  }
  // Both take their turns, so that whatever else the machine does hits both.
  const theirs: number[] = [];
  const ours: number[] = [];
  const env = { PATH: process.env.PATH, CODEMODE_API_KEY: randomBytes(16).toString("hex") };
  const child = spawn(python, [file("serve.py")], { env });
  const exited = once(child, "exit");
  try {
    const { port, version } = await started(child);
    await using server = await startServerProcess();
    await using clients = connect(server);
    const call = () => clients.sdk.execute("result = 2 + 2");
    for (let round = 0; round < 200; round += 1) await call();
    for (let round = 0; round < 3; round += 1) {
      theirs.push(...(await timed(python, port, env)));
      for (let number = 0; number < calls; number += 1) ours.push(await timeMs(call));
    }
    const [theirSummary, ourSummary] = [summarize(theirs), summarize(ours)];
    return [
      { figure: `opencodemode ${version}, \`result = 2 + 2\``, ...times(theirSummary) },
      {
        figure: "the same by ours, SDK",
        ...times(ourSummary),
        beside: `opencodemode takes ${formatRatio(theirSummary.p50 / ourSummary.p50)} as long, without a lock`,
      },
    ];
  } finally {
    child.stdin.end();
    await exited;
  }
}

async function started(child: ChildProcessWithoutNullStreams) {
  let said = "";
  child.stderr.on("data", (chunk) => {
    said = `${said}${chunk}`.slice(-2_000);
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const [port = "", version = ""] = line.split(" ");
    return { port, version };
  }
  throw new Error(`the executor of opencodemode did not start: ${said}`);
}

async function timed(python: string, port: string, env: NodeJS.ProcessEnv): Promise<number[]> {
  const args = [file("client.py"), port, String(calls)];
  const { stdout } = await promisify(execFile)(python, args, { env, timeout: 120_000 });
  return JSON.parse(stdout);
}

/** The last thing that a command said, or what went wrong with starting it. */
function why(error: unknown): string {
  const said = (error as { stderr?: string }).stderr?.trim().split("\n").at(-1);
  return said || (error instanceof Error ? error.message : String(error));
}
