import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import * as net from "node:net";
import * as tls from "node:tls";
import { Code, ConnectError } from "@connectrpc/connect";
import { Http2SessionManager } from "@connectrpc/connect-node";

/** How a connection is kept, milliseconds. */
export interface KeepaliveOptions {
  /** Longest silence of the peer while calls are open, and of an idle connection that is used again, before a ping. */
  readonly pingAfterMs: number;
  /** Longest wait for the answer to a ping: the connection is broken then. */
  readonly pingTimeoutMs: number;
  /** No two pings are closer to each other. */
  readonly pingGapMs: number;
}

/** Options of `Http2Sessions`. */
export interface Http2SessionsOptions {
  /** Such as "http://127.0.0.1:8001"; https with TLS. */
  readonly url: string;
  readonly tls: Pick<tls.SecureContextOptions, "ca" | "cert" | "key">;
  readonly keepalive: KeepaliveOptions;
}

// Node's 64 KiB make a stream wait for a round trip after every few messages.
const windowBytes = 1024 * 1024;
// Then ten probes, a second apart: a peer that is gone is noticed within 15 s.
const tcpKeepaliveMs = 5_000;

/**
 * Destroys a session's socket itself. The session's own `destroy` waits for what it is writing, which never ends
 * where the peer is gone, and its `socket` hands `destroy` on to it.
 */
const drop = Symbol("drop");

/** Errors of sessions whose peer never spoke HTTP/2. */
const foreign = new WeakSet<Error>();

/** Whether the error is that of a connection whose peer does not speak HTTP/2. */
export function isOfForeignProtocol(error: Error): boolean {
  return foreign.has(error);
}

/**
 * The HTTP/2 connection to one peer, opened when it is used. Every session has a listener for errors for its
 * whole life, so that a fault that nobody waits for ends no process. A peer that vanished without a word is
 * found by pings while calls are open, and by one before an idle connection is used again.
 */
export class Http2Sessions extends Http2SessionManager {
  readonly #keepalive: KeepaliveOptions;
  readonly #kept = new WeakMap<ClientHttp2Session, Keeper>();
  #last: ClientHttp2Session | undefined;

  constructor({ url, tls: identity, keepalive }: Http2SessionsOptions) {
    // Its own pings time out when this process was busy for as long, though the answer has come.
    const pings = { pingIntervalMs: Number.POSITIVE_INFINITY };
    const settings = { initialWindowSize: windowBytes, enablePush: false };
    super(url, pings, { settings, createConnection: () => connect(new URL(url), identity) });
    this.#keepalive = keepalive;
  }

  override async request(
    ...args: Parameters<Http2SessionManager["request"]>
  ): Promise<ClientHttp2Stream> {
    const last = this.#last;
    if (last !== undefined && !last.destroyed && !last.closed) await this.#kept.get(last)?.check();
    const stream = await super.request(...args);
    const { session } = stream;
    if (session !== undefined) {
      this.#last = session as ClientHttp2Session;
      this.#keeperOf(this.#last).follow(stream);
    }
    return stream;
  }

  override notifyResponseByteRead(stream: ClientHttp2Stream): void {
    super.notifyResponseByteRead(stream);
    const { session } = stream;
    if (session !== undefined) this.#kept.get(session as ClientHttp2Session)?.heard();
  }

  #keeperOf(session: ClientHttp2Session): Keeper {
    const known = this.#kept.get(session);
    if (known !== undefined) return known;
    const keeper = new Keeper(session, this.#keepalive);
    this.#kept.set(session, keeper);
    return keeper;
  }
}

function connect({ protocol, hostname, port }: URL, identity: Http2SessionsOptions["tls"]) {
  const host = hostname.replace(/^\[|\]$/g, "");
  const at = { host, port: Number(port || (protocol === "https:" ? 443 : 80)) };
  const socket =
    protocol === "https:"
      ? tls.connect({
          ...identity,
          ...at,
          ...(net.isIP(host) === 0 && { servername: host }),
          ALPNProtocols: ["h2"],
        })
      : net.connect(at);
  socket.once("connect", () => socket.setKeepAlive(true, tcpKeepaliveMs));
  return Object.assign(socket, { [drop]: () => socket.destroy() });
}

/** Looks after one session. */
class Keeper {
  readonly #session: ClientHttp2Session;
  readonly #options: KeepaliveOptions;
  #heardAt = performance.now();
  #pingedAt = Number.NEGATIVE_INFINITY;
  #open = 0;
  /** Its first settings have not come. */
  #isForeign = true;
  #timer: NodeJS.Timeout | undefined;
  #checking: Promise<void> | undefined;

  constructor(session: ClientHttp2Session, options: KeepaliveOptions) {
    this.#session = session;
    this.#options = options;
    session.once("remoteSettings", () => {
      this.#isForeign = false;
    });
    session.on("error", () => {}); // its calls are told
    session.once("close", () => clearTimeout(this.#timer));
  }

  /** The peer has sent something. */
  heard(): void {
    this.#heardAt = performance.now();
  }

  /** A call is open for as long as this stream is. */
  follow(stream: ClientHttp2Stream): void {
    this.#open += 1;
    stream.once("error", (error: NodeJS.ErrnoException) => {
      if (this.#isForeign && error.code === "ERR_HTTP2_ERROR") foreign.add(error);
    });
    stream.once("response", () => this.heard());
    stream.once("close", () => {
      this.#open -= 1;
      if (this.#open === 0) clearTimeout(this.#timer);
    });
    if (this.#open === 1) this.#watch();
  }

  /** Before a call: resolves when the peer answers, or the connection is broken, and another will be opened. */
  async check(): Promise<void> {
    if (this.#open === 0 && this.#isDue()) await this.#pingOnce();
  }

  #watch(): void {
    clearTimeout(this.#timer);
    const { pingAfterMs, pingGapMs } = this.#options;
    const now = performance.now();
    const dueMs = Math.max(this.#heardAt + pingAfterMs, this.#pingedAt + pingGapMs) - now;
    this.#timer = setTimeout(() => void this.#tick(), Math.max(0, dueMs));
  }

  async #tick(): Promise<void> {
    if (this.#isDue()) await this.#pingOnce();
    if (this.#open > 0 && !this.#session.destroyed) this.#watch();
  }

  #isDue(): boolean {
    const now = performance.now();
    const { pingAfterMs, pingGapMs } = this.#options;
    return now - this.#heardAt >= pingAfterMs && now - this.#pingedAt >= pingGapMs;
  }

  #pingOnce(): Promise<void> {
    this.#checking ??= this.#ping().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  async #ping(): Promise<void> {
    this.#pingedAt = performance.now();
    await new Promise<void>((resolve) => {
      const over = () => {
        clearTimeout(timer);
        resolve();
      };
      // Where this process was busy, the answer may have come and is read in this turn of the loop.
      const timer = setTimeout(() => setImmediate(fail), this.#options.pingTimeoutMs);
      const fail = () => {
        if (!isAnswered && !this.#session.destroyed) {
          const { [drop]: dropSocket } = this.#session.socket as { [drop]?: () => void };
          this.#session.destroy(new ConnectError("PING timed out", Code.Unavailable));
          dropSocket?.();
        }
        over();
      };
      let isAnswered = false;
      this.#session.once("close", over);
      const isSent =
        !this.#session.destroyed &&
        this.#session.ping((error) => {
          this.#session.off("close", over);
          if (error === null) {
            isAnswered = true;
            this.heard();
            over();
          }
        });
      if (!isSent) over();
    });
  }
}
