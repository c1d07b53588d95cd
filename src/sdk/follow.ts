import { ToolPayloads } from "../../gen/es/codemode/v1/tool_pb.ts";
import { fromAttachedMessage } from "../shared/wire/attached.ts";
import type { LogCursor } from "./cursor.ts";
import type { Leg } from "./leg.ts";
import type { PreparedFollow } from "./request.ts";
import { type StreamEvent, toStreamEvent, withSmallPayload } from "./stream-event.ts";
import type { ToolRunner } from "./tool-runner.ts";

/** How a log is read, over all its connections. */
export interface Following {
  readonly call: PreparedFollow;
  readonly cursor: LogCursor;
  /** Answers the calls; undefined for a reader that has no tools. */
  readonly runner: ToolRunner | undefined;
}

/**
 * Yields what one connection brings of a log, up to `finished`, each event once; reading slowly slows
 * a guest that it leads. Calls are handed to the runner as they are read. Throws what connect throws;
 * returns whether it came to `finished`.
 */
export async function* followLeg(
  leg: Leg,
  { call, cursor, runner }: Following,
): AsyncGenerator<StreamEvent, boolean, undefined> {
  using _ = leg;
  const { messages, send } = leg.wire;
  // An attachment says first which calls are open; until then answers wait.
  const isAttached = leg.first.done !== true && leg.first.value.attached !== undefined;
  if (!isAttached) runner?.connect({ send, executionId: cursor.executionId });
  try {
    for (let step = leg.first; !step.done; step = await messages.next()) {
      const { attached } = step.value;
      if (attached !== undefined) {
        const place = fromAttachedMessage(attached);
        cursor.attach(place);
        runner?.connect({ send, executionId: cursor.executionId, attached: place });
      }
      const message = step.value.event && toStreamEvent(step.value.event);
      const event = message && cursor.take(message);
      if (event === undefined) continue;
      runner?.take(event);
      if (!cursor.isHost) runner?.close("another reader answers the calls now");
      // The service leaves out the rest by itself; these it must send whole, for the runner.
      yield call.payloads === ToolPayloads.SMALL ? withSmallPayload(event) : event;
      if (event.type !== "finished") continue;
      leg.wire[Symbol.dispose]();
      // The status that follows changes nothing; reading it lets the stream close in order.
      await messages.next().catch(() => undefined);
      return true;
    }
    return false;
  } finally {
    runner?.disconnect();
  }
}
