import { once } from "node:events";
import http2 from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { ExecuteStreamRequestSchema } from "../../gen/es/codemode/v1/executor_pb.ts";
import { toDuration } from "../../src/shared/wire/time.ts";
import { besideRow, keys, Neighbour, tenantKeys } from "../neighbour.ts";
import { type ServerProcess, startServerProcess } from "../server-process.ts";
import { pause } from "../stats.ts";
import { atMost, formatMegabytes, type Row } from "../table.ts";

const readers = 20;
const code = 'line = "x" * 999\nwhile True: print(line)';

/** Clients that start a program which prints without end, and never read a byte of it. */
export async function slowReader({ quick }: { readonly quick: boolean }): Promise<Row[]> {
  const ms = quick ? 1_500 : 4_000;
  await using server = await startServerProcess({ api_keys: tenantKeys });
  await using neighbour = new Neighbour(server.url);
  await neighbour.run(1_000); // warms both processes up
  const quiet = await neighbour.run(ms / 2);
  const before = await server.collect();

  const streams = await Promise.all(Array.from({ length: readers }, () => startUnread(server.url)));
  await pause(1_500); // until every buffer on the way is full
  const early = await server.collect();
  const guestMs = await guestCpuMsIn(server, 1_000);
  const loaded = await neighbour.run(ms);
  const late = await server.collect();

  for (const stream of streams) stream[Symbol.dispose]();
  while ((await server.inUse()) > 0) await pause(20);
  quiet.push(...(await neighbour.run(ms / 2)));
  const after = await server.collect();

  const sizes = [before, early, late, after].map(({ rssBytes }) => formatMegabytes(rssBytes));
  const each = (late.rssBytes - before.rssBytes) / readers;
  const title = `${readers} clients that never read what their endless program prints`;
  return [
    {
      figure: `${title}: server RSS`,
      beside: `before, after 1.5 s, after ${(2.5 + ms / 1_000).toFixed(1)} s, when they are gone: ${sizes.join(" / ")}; ${formatMegabytes(each)} each`,
      bar: atMost(100 * (late.rssBytes / early.rssBytes - 1), 10, " % more while they last"),
    },
    {
      figure: `${title}: CPU time of their guests`,
      beside: `${guestMs.toFixed(0)} ms in a second, all together`,
    },
    besideRow("a run of another tenant meanwhile", { quiet, loaded }, "their guests stand"),
  ];
}

async function guestCpuMsIn(server: ServerProcess, ms: number): Promise<number> {
  const before = server.guestCpuMs();
  await pause(ms);
  return server.guestCpuMs() - before;
}

/** A stream of a bare HTTP/2 client (Connect's reads ahead) that takes nothing but the headers. */
async function startUnread(url: string): Promise<Disposable> {
  const limits = { wallTimeout: toDuration(120_000), outputBytes: 1_000_000_000n };
  const request = create(ExecuteStreamRequestSchema, { request: { code, limits } });
  const message = toBinary(ExecuteStreamRequestSchema, request);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  const session = http2.connect(url);
  const stream = session.request({
    ":method": "POST",
    ":path": "/codemode.v1.ExecutorService/ExecuteStream",
    "content-type": "application/grpc",
    te: "trailers",
    authorization: `Bearer ${keys.loud}`,
  });
  stream.end(Buffer.concat([head, message]));
  await once(stream, "response");
  return { [Symbol.dispose]: () => session.destroy() };
}
