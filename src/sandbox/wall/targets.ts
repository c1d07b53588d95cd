import { randomUUID } from "node:crypto";
import { createSocket } from "node:dgram";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const canaryText = "a file of the host\n";

/** What probes aim at: things of the host that nothing behind a wall can reach. */
export interface Aims {
  /** A file, alone in its directory but for the socket. */
  readonly canary: string;
  readonly unix: string;
  /** Name of an abstract unix socket, without the zero byte before it. */
  readonly abstract: string;
  /** TCP on 127.0.0.1. */
  readonly port: number;
  /** UDP on 127.0.0.1. */
  readonly udpPort: number;
  /** Process id of the service; SIGURG to it is noticed and does nothing. */
  readonly service: number;
  /** Device and inode of the root directory, as decimal text. */
  readonly root: readonly [device: string, inode: string];
}

/** The aims, and what of them was hit. */
export interface Targets extends AsyncDisposable {
  readonly aims: Aims;
  /** What the host sees of attempts that succeeded; empty when there are none. */
  traces(): Promise<string[]>;
}

/** Opens targets on this host. */
export async function createTargets(): Promise<Targets> {
  const directory = await mkdtemp(join(tmpdir(), "codemode-probe-"));
  await using opened = new AsyncDisposableStack();
  opened.defer(() => rm(directory, { recursive: true, force: true }));
  const canary = join(directory, "canary");
  const unix = join(directory, "socket");
  const abstract = `codemode-probe-${randomUUID()}`;
  await writeFile(canary, canaryText);
  const before = await stat(canary);
  const hits = new Set<string>();
  const onConnection = () => void hits.add("a connection");
  const tcp = await listen({ host: "127.0.0.1", port: 0 }, onConnection);
  opened.defer(() => close(tcp));
  const local = await listen({ path: unix }, onConnection);
  opened.defer(() => close(local));
  if (process.platform === "linux") {
    const hidden = await listen({ path: `\0${abstract}` }, onConnection);
    opened.defer(() => close(hidden));
  }
  const udp = createSocket("udp4", () => void hits.add("a datagram"));
  opened.defer(() => void udp.close());
  await new Promise<void>((resolve) => udp.bind(0, "127.0.0.1", resolve));
  const onSignal = () => void hits.add("a signal");
  process.on("SIGURG", onSignal);
  opened.defer(() => void process.off("SIGURG", onSignal));
  const root = await stat("/", { bigint: true });
  const aims: Aims = {
    ...{ canary, unix, abstract },
    port: (tcp.address() as AddressInfo).port,
    udpPort: udp.address().port,
    service: process.pid,
    root: [String(root.dev), String(root.ino)],
  };
  const kept = opened.move();
  return {
    aims,
    async traces() {
      const found = [...hits];
      if ((await readdir(directory)).length !== 2) found.push("a file made or removed");
      const text = await readFile(canary, "utf8").catch(() => "");
      if (text !== canaryText) found.push("a changed file");
      const after = await stat(canary).catch(() => undefined);
      // ctime moves with every change of mode, owner, times or attributes.
      if (after?.ctimeMs !== before.ctimeMs) found.push("a changed inode");
      return found;
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

function listen(
  options: { host: string; port: number } | { path: string },
  onConnection: () => void,
): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      onConnection();
      socket.destroy();
    });
    server.once("error", reject);
    server.listen(options, () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
