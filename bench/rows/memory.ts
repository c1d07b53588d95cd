import { connect } from "../clients.ts";
import { startServerProcess } from "../server-process.ts";
import { atMost, formatMegabytes, type Row } from "../table.ts";

const callers = 8;
// The service remembers a thousand executions that have ended, and V8 grows its young generation over
// the first thousands of runs: before that the one says little, and the other nothing.
const filledAfter = 2_000;
const settledAfter = 5_000;

/** The service's memory after the first 5 % of many runs, and after all of them. */
export async function memory(runs: number): Promise<Row[]> {
  await using server = await startServerProcess();
  await using clients = connect(server);
  const run = async (count: number) => {
    let left = count;
    await Promise.all(
      Array.from({ length: callers }, async () => {
        while (left > 0) {
          left -= 1;
          await clients.sdk.execute("result = 2 + 2");
        }
      }),
    );
    return server.collect();
  };
  const first = Math.max(filledAfter, Math.round(runs / 20));
  const early = await run(first);
  const late = await run(runs - first);
  const grown = (key: "rssBytes" | "heapBytes") => 100 * (late[key] / early[key] - 1);
  const sizes = (key: "rssBytes" | "heapBytes") =>
    `${formatMegabytes(early[key])} after ${first.toLocaleString("en")}, ${formatMegabytes(late[key])} at the end (${grown(key).toFixed(1)} % more)`;
  const total = runs.toLocaleString("en");
  return [
    {
      figure: `server heap after ${total} runs, collected`,
      beside: sizes("heapBytes"),
      bar: atMost(grown("heapBytes"), 10, " % more"),
    },
    {
      figure: `server RSS after ${total} runs`,
      beside: sizes("rssBytes"),
      bar:
        first >= settledAfter
          ? atMost(grown("rssBytes"), 10, " % more")
          : { text: "at most 10 % more", verdict: "too few runs to say; see --full" },
    },
  ];
}
