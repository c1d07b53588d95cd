import type { IncomingMessage, ServerResponse } from "node:http";
import { constants, Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { DescMethod } from "@bufbuild/protobuf";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { CodemodeError } from "../shared/errors.ts";
import { toConnectError } from "../shared/status.ts";
import { type Paced, paced } from "./answer.ts";
import { createMessageClock, wholeMessages } from "./body.ts";
import type { Pace } from "./pace.ts";
import type { Hold, Transit } from "./transit.ts";

/** Times of a call's messages, milliseconds. */
export interface TrafficTimes {
  /** For a message of a request to come whole. */
  readonly receiveMs: number;
  /** For a caller to take 64 KiB of an answer that is complete. */
  readonly sendMs: number;
  /** Longer deadlines are shortened to this; a caller that takes nothing for so long is gone. */
  readonly maxDeadlineMs: number;
}

// A frame of data with hardly anything in it. Node's part of handing it over is 0.005 ms, measured; it
// counts three times as much, for the collector's work and since several connections may bring them.
const tinyBytes = 64;
const tinyMs = 0.015;

// What HTTP/2 lets a stream bring before it is read, whoever reads it.
const windowBytes = 64 * 1024;

// What this process holds for a call whose message has not come whole, measured.
const callBytes = 64 * 1024;

/** What bounds the messages of a call. */
export interface TrafficOptions {
  readonly times: TrafficTimes;
  /** Of the call's connection, where that brings several at once. */
  readonly pace: Pace | undefined;
  readonly transit: Transit;
  /** Of one message. */
  readonly maxBytes: number;
}

/** The messages of one call on their way in and out. */
export interface Traffic {
  /** Says whose call it is. Throws `overloaded` where the tenant, or everybody, holds too much already. */
  claim(tenant: string): void;
  /** Bounds how a request comes. */
  receive(request: UniversalServerRequest): UniversalServerRequest;
  /** Bounds how a response goes. */
  send(response: UniversalServerResponse): UniversalServerResponse;
}

/** Bounds the time and the memory that the messages of one call take on their way. */
export function createTraffic(
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
  { methodKind }: DescMethod,
  { times, pace, transit, maxBytes }: TrafficOptions,
): Traffic {
  const hold = transit.open();
  const clock = createMessageClock(times.receiveMs);
  const isEnveloped = /^application\/(?:grpc(?!-web-text)|connect\+)/i.test(
    request.headers["content-type"] ?? "",
  );
  let answer: Paced | undefined;
  let isOver = false;
  response.once("close", () => {
    isOver = true;
    clock.end();
    answer?.close();
    hold[Symbol.dispose]();
  });
  if (pace !== undefined && request instanceof Http2ServerRequest) countTiny(request, pace);
  const onHeld = (bytes: number, { isFirst }: { readonly isFirst: boolean }) => {
    hold.receiving(isFirst ? callBytes + bytes : bytes);
    if (isFirst) checked(hold, bytes);
    // Later ones are answers to programs that run: no small one is refused for what others hold.
    else checked(hold, bytes - windowBytes, { hasStarted: true });
  };
  return {
    claim(tenant) {
      hold.claim(tenant);
      hold.check();
      hold.receiving(callBytes);
    },
    receive(universal) {
      const { body } = universal;
      if (!isStream(body)) return universal;
      return { ...universal, body: wholeMessages(body, { isEnveloped, maxBytes, clock, onHeld }) };
    },
    send(universal) {
      if (universal.body === undefined) return universal;
      const takeMs = methodKind === "unary" ? times.sendMs : times.maxDeadlineMs;
      const onStall = () => abandon(response);
      answer = paced(universal.body, { hold, takeMs, lastMs: times.sendMs, onStall });
      // The caller may have left before there was an answer.
      if (isOver) answer.close();
      return { ...universal, body: answer };
    },
  };
}

/** Slows a connection whose messages come in tiny pieces. */
function countTiny(request: Http2ServerRequest, pace: Pace): void {
  // Node hands each piece to it; whoever reads gets what has come meanwhile at once.
  const push = request.push.bind(request);
  request.push = (piece: Buffer | null, encoding?: BufferEncoding) => {
    if (piece !== null && piece.length < tinyBytes) pace.spend(tinyMs);
    return push(piece, encoding);
  };
}

/**
 * Checks a hold of some bytes. Throws a status: what reads a body is below whatever turns errors into
 * them. No call whose program may have started is to be made again.
 */
function checked(hold: Hold, bytes: number, { hasStarted = false } = {}): void {
  if (bytes <= 0) return;
  try {
    hold.check();
  } catch (cause) {
    const error = CodemodeError.from(cause);
    if (!hasStarted) throw toConnectError(error);
    const { kind, message, quota } = error;
    throw toConnectError(new CodemodeError(kind, message, { cause, quota, retryable: false }));
  }
}

function isStream(body: UniversalServerRequest["body"]): body is AsyncIterable<Uint8Array> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}

function abandon(response: ServerResponse | Http2ServerResponse): void {
  if (response instanceof Http2ServerResponse) response.stream.close(constants.NGHTTP2_CANCEL);
  response.destroy();
}
