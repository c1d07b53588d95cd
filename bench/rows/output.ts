import type { Codemode } from "../../src/index.ts";
import { connect } from "../clients.ts";
import { LineCheck } from "../line-check.ts";
import { type ServerProcess, startServerProcess } from "../server-process.ts";
import { pause } from "../stats.ts";
import { atMost, formatMegabytes, type Row } from "../table.ts";

const lineBytes = 1_000;
const limits = { outputBytes: 200e6, wallMs: 120_000 };

/** A program that prints numbered lines of 1,000 bytes, each with the time of its print. */
function lines(count: number): string {
  return `
import time
pad = "x" * ${lineBytes - 32}
for i in range(${count}):
    print(f"{i:09d} {time.monotonic_ns():020d} {pad}")
`;
}

/** 100 MB of stdout through the stream, and a reader that is slower than the guest. */
export async function output(): Promise<Row[]> {
  await using server = await startServerProcess();
  await using clients = connect(server);
  // As much once before: V8 grows its heap to what a load needs, and keeps it.
  await read(clients.sdk, 100_000);
  return [await atFullSpeed(server, clients.sdk), await slowly(server, clients.sdk)];
}

async function atFullSpeed(server: ServerProcess, sdk: Codemode): Promise<Row> {
  const before = await server.collect();
  using rss = watchRss(server);
  const startedAt = performance.now();
  const { bytes, events } = await read(sdk, 100_000);
  const seconds = (performance.now() - startedAt) / 1_000;
  const peak = await rss.peak();
  const after = await server.collect();
  const sizes = [before.rssBytes, peak, after.rssBytes].map(formatMegabytes).join(" / ");
  return {
    figure: "100 MB of stdout, 1 KB a print",
    beside: `${(bytes / 1e6 / seconds).toFixed(0)} MB/s in ${events} events; server RSS before, peak, after: ${sizes}`,
    bar: atMost(100 * (peak / before.rssBytes - 1), 10, " % more at peak"),
  };
}

/** Reads 20 MB, stops for two seconds in the middle, then reads at about 20 MB/s. */
async function slowly(server: ServerProcess, sdk: Codemode): Promise<Row> {
  const before = await server.collect();
  using rss = watchRss(server);
  let resumedAt = 0n;
  let readWhenResumed = 0;
  const check = await read(sdk, 20_000, async (bytes, seen) => {
    if (resumedAt === 0n && seen > 5e6) {
      await pause(2_000);
      resumedAt = process.hrtime.bigint();
      readWhenResumed = seen;
    }
    await pause(bytes / 20_000);
  });
  const ahead = check.linesPrintedBefore(resumedAt) * lineBytes - readWhenResumed;
  const grown = (await rss.peak()) - before.rssBytes;
  return {
    figure: "20 MB to a reader that stops for 2 s, then 20 MB/s",
    beside: `no loss; the guest stood ${formatMegabytes(ahead)} ahead; server RSS grew by ${formatMegabytes(grown)}`,
    bar: atMost(ahead / 1e6, 4, " MB ahead"),
  };
}

/** Runs a program and reads all of its output; throws where a byte is lost, doubled or moved. */
async function read(
  sdk: Codemode,
  count: number,
  onText: (bytes: number, seen: number) => Promise<void> = async () => {},
): Promise<LineCheck> {
  const check = new LineCheck(lineBytes);
  await using execution = sdk.stream(lines(count), { limits });
  for await (const event of execution) {
    if (event.type !== "output") continue;
    check.take(event.text);
    await onText(event.text.length, check.bytes);
  }
  const { status } = await execution.outcome;
  if (status !== "completed") throw new Error(`the printing program ${status}`);
  check.expect(count);
  return check;
}

/** Asks for the server's RSS again and again until it is disposed. */
function watchRss(server: ServerProcess) {
  let isOver = false;
  let peak = 0;
  const watching = (async () => {
    while (!isOver) {
      peak = Math.max(peak, (await server.usage()).rssBytes);
      await pause(20);
    }
  })();
  return {
    async peak(): Promise<number> {
      isOver = true;
      await watching;
      return peak;
    },
    [Symbol.dispose]() {
      isOver = true;
    },
  };
}
