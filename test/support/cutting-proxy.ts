import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** A TCP proxy before a service, for what networks do. */
export interface CuttingProxy extends AsyncDisposable {
  readonly url: string;
  /** Connections that were accepted so far. */
  readonly accepted: number;
  /** Bytes of callers that a stall keeps back. */
  readonly waiting: number;
  /** Breaks every connection, without a word to either side; what was under way is lost. */
  cut(): void;
  /** Nothing comes through any more, or only no answers, until disposal. Connections stay. */
  stall(options?: { readonly answersOnly?: boolean }): Disposable;
  /** Nobody listens any more; connections stay. Gives the way back. */
  refuse(): () => Promise<void>;
  /** New connections go to another service. */
  retarget(url: string): void;
}

interface Pair {
  readonly client: Socket;
  readonly service: Socket;
}

/** Puts a proxy before a service, on loopback. */
export async function startCuttingProxy(url: string): Promise<CuttingProxy> {
  const pairs = new Set<Pair>();
  let target = new URL(url);
  let accepted = 0;
  let isStalled = false;
  let isStalledForAnswers = false;

  const pace = ({ client, service }: Pair) => {
    if (isStalled) client.pause();
    else client.resume();
    if (isStalled || isStalledForAnswers) service.pause();
    else service.resume();
  };
  const close = (pair: Pair) => {
    pairs.delete(pair);
    pair.client.destroy();
    pair.service.destroy();
  };
  const server = createServer((client) => {
    accepted += 1;
    const service = connect(Number(target.port), target.hostname);
    const pair = { client, service };
    pairs.add(pair);
    client.on("data", (bytes) => service.write(bytes));
    service.on("data", (bytes) => client.write(bytes));
    for (const socket of [client, service]) {
      socket.setNoDelay(true);
      socket.on("error", () => close(pair));
      socket.on("close", () => close(pair));
    }
    pace(pair);
  });
  await listen(server, 0);
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    get accepted() {
      return accepted;
    },
    get waiting() {
      return [...pairs].reduce((bytes, { client }) => bytes + client.readableLength, 0);
    },
    cut() {
      for (const pair of pairs) close(pair);
    },
    stall({ answersOnly = false } = {}) {
      const set = (value: boolean) => {
        if (answersOnly) isStalledForAnswers = value;
        else isStalled = value;
        for (const pair of pairs) pace(pair);
      };
      set(true);
      return { [Symbol.dispose]: () => set(false) };
    },
    refuse() {
      // The connections that are there go on.
      server.close();
      return () => listen(server, port);
    },
    retarget(other) {
      target = new URL(other);
    },
    async [Symbol.asyncDispose]() {
      for (const pair of pairs) close(pair);
      if (server.listening) server.close();
    },
  };
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
}
