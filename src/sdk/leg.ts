import { Code, ConnectError } from "@connectrpc/connect";
import { forkSignal } from "../shared/abort.ts";
import { joinedHeader } from "../shared/status.ts";
import type { CallScope } from "./call-scope.ts";
import type { PreparedFollow } from "./request.ts";
import { type Connection, watchStream } from "./transport.ts";
import type { OpenWire, Wire, WireMessage } from "./wire.ts";

/** One connection's part of a log. Disposing it closes its stream. */
export interface Leg extends Disposable {
  readonly connection: Connection;
  readonly wire: Wire;
  readonly first: IteratorResult<WireMessage, unknown>;
  /** The request had been made before: it joined that one's execution. */
  readonly isJoined: boolean;
  /** Resolves when its stream is closed, where that is heard before it is read. */
  readonly closed: Promise<void>;
}

/** Where and under what a leg is opened. */
export interface LegOptions {
  readonly connection: Connection;
  readonly headers: Headers;
  /** Undefined for no deadline. */
  readonly timeoutMs: number | undefined;
}

/** Opens a wire and waits for its first message; rejects with what connect throws. */
export async function openLeg(
  open: OpenWire,
  call: PreparedFollow,
  scope: CallScope,
  { connection, headers, timeoutMs }: LegOptions,
): Promise<Leg> {
  const fork = forkSignal(scope.signal);
  const bound = timeoutMs === undefined ? {} : { timeoutMs };
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  let isJoined = false;
  const onHeader = (received: Headers) => {
    isJoined = received.has(joinedHeader);
  };
  const { wire, begun } = watchStream(resolve, () => {
    const attempt = { headers, ...bound, signal: fork.signal, onHeader };
    const opened = open(connection.client, call, attempt);
    return { wire: opened, begun: opened.messages.next() };
  });
  const close = () => {
    wire[Symbol.dispose]();
    fork.abort(new ConnectError("the stream is not read any more", Code.Canceled));
  };
  try {
    const first = await begun;
    return { connection, wire, first, isJoined, closed, [Symbol.dispose]: close };
  } catch (error) {
    close();
    throw error;
  }
}
