import { connectCaller } from "../test/support/http2-caller.ts";
import { callHeaders, connectRaw, type RawHttp2 } from "../test/support/raw-http2.ts";
import type { AttackOrder } from "./attack-process.ts";
import { pause } from "./stats.ts";

/** Who attacks a server over one connection after the other, until it is disposed. */
export class Attacker implements Disposable {
  connections = 0;
  sentBytes = 0;
  readonly #order: AttackOrder;
  readonly #stop = new AbortController();
  readonly #underWay = Promise.withResolvers<void>();
  readonly #open = new Set<Disposable>();

  constructor(order: AttackOrder) {
    this.#order = order;
  }

  /** Resolves when the first connection is open. */
  get underWay(): Promise<void> {
    return this.#underWay.promise;
  }

  /** Headers of its call to a method. */
  headers(method: string, more: Readonly<Record<string, string>> = {}) {
    return callHeaders(method, { authorization: `Bearer ${this.#order.apiKey}`, ...more });
  }

  /** Attacks over so many connections at once, each followed by the next as soon as it is over. */
  async over(
    count: number,
    attack: (peer: RawHttp2, signal: AbortSignal) => Promise<void>,
    { hello }: { readonly hello?: () => Uint8Array } = {},
  ): Promise<void> {
    const { signal } = this.#stop;
    const one = async () => {
      while (!signal.aborted) {
        try {
          await this.#connect(attack, hello?.());
        } catch {
          // The service closed it, which it is free to do; the next one comes at once.
        }
      }
    };
    await Promise.all(Array.from({ length: count }, one));
  }

  /** Makes the same call again and again, four at a time over each of two connections. */
  async call(more: Readonly<Record<string, string>>, body: Uint8Array): Promise<void> {
    const { signal } = this.#stop;
    const headers = this.headers("Execute", more);
    const one = async () => {
      while (!signal.aborted) {
        using caller = connectCaller(`http://127.0.0.1:${this.#order.port}`);
        this.connections += 1;
        this.#underWay.resolve();
        this.#open.add(caller);
        const calling = async () => {
          while (!signal.aborted) {
            await caller.call(headers, body);
            this.sentBytes += body.length;
          }
        };
        await Promise.all(Array.from({ length: 4 }, calling)).catch(() => {});
        this.#open.delete(caller);
      }
    };
    await Promise.all([one(), one()]);
  }

  /** Resolves after a time, or when it is over. */
  async rest(ms: number): Promise<void> {
    const { signal } = this.#stop;
    if (signal.aborted) return;
    const over = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => over.resolve(), { once: true });
    await Promise.race([pause(ms), over.promise]);
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    for (const peer of this.#open) peer[Symbol.dispose]();
  }

  async #connect(
    attack: (peer: RawHttp2, signal: AbortSignal) => Promise<void>,
    hello: Uint8Array | undefined,
  ): Promise<void> {
    const { port } = this.#order;
    using peer = await connectRaw(port, hello === undefined ? {} : { hello });
    this.connections += 1;
    this.#underWay.resolve();
    this.#open.add(peer);
    const counted: RawHttp2 = Object.create(peer, {
      send: {
        value: async (...frames: readonly Uint8Array[]) => {
          await peer.send(...frames);
          // What a connection had not taken when it closed was not sent.
          if (!peer.isClosed) for (const { length } of frames) this.sentBytes += length;
        },
      },
    });
    try {
      await attack(counted, this.#stop.signal);
    } finally {
      this.#open.delete(peer);
    }
  }
}
