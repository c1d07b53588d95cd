// A client that makes load, in a process of its own, so that it does not wait in the line of the one
// that measures.
import { once } from "node:events";
import { Codemode } from "../src/index.ts";
import type { LoadOrder } from "./load-process.ts";
import { loads } from "./loads.ts";
import { Tally } from "./tally.ts";

const [{ name, url, apiKey }] = (await once(process, "message")) as [LoadOrder];
// Nothing is tried again: a refusal is to be counted, and to be asked for anew at once.
const client = Codemode.connect({ url, apiKey, retry: false, timeoutMs: 180_000 });
const tally = new Tally();
const stop = new AbortController();
const over = loads[name]({
  client,
  tally,
  signal: stop.signal,
  onUnderWay() {
    tally.reset();
    process.send?.({});
  },
});
await Promise.race([over, once(process, "message")]);
const report = tally.total();
stop.abort();
await over;
await client.close();
process.send?.(report);
await once(process, "disconnect");
