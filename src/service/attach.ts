import type { ExecutionLog } from "../execution/log.ts";
import { untilAborted } from "../shared/abort.ts";
import type { Attached, ToolDeclaration } from "../shared/model.ts";
import { callEnded } from "./endings.ts";
import { type ExecutionTools, firstHost } from "./execution-tools.ts";
import { type ReadExecution, Reader } from "./reader.ts";
import type { Readers } from "./readers.ts";

/** From where a reader reads, and whether it answers the caller's tool calls. */
export interface Place {
  /** Events after it are given; 0 for all. */
  readonly afterSequence: number;
  readonly answerTools: boolean;
  /** As `Attendance.endsAt`: only for a call that made the request of the execution again. */
  readonly endsAt?: number | undefined;
}

/** What readers need of an execution that runs. */
export interface LiveExecution {
  readonly execution: ReadExecution;
  readonly log: ExecutionLog;
  readonly tools: ExecutionTools;
  /** Tools whose calls the caller answers. */
  readonly declared: readonly ToolDeclaration[];
  readonly readers: Readers;
  /** Resolves when the program has started or never will. */
  readonly started: Promise<void>;
  /** Resolves when a program that is being ended has ended. */
  readonly settled: () => Promise<void>;
  /** The log cannot be written: the execution is lost. */
  readonly lose: (error: unknown) => void;
}

/** The reader of the call that starts an execution: it leads, and answers the tool calls. Once. */
export function startReader(
  live: LiveExecution,
  signal: AbortSignal,
  endsAt: number | undefined,
): Reader {
  const attached = { lastSequence: 0, openCalls: [] };
  const seat = live.readers.join({ signal, endsAt });
  return leadingReader(live, { seat, attached, host: firstHost, signal });
}

/**
 * One more reader. With `answerTools` it becomes the tool host and leads in place of the one before,
 * once the program has started; otherwise it follows. Rejects with a CodemodeError: `out_of_range`
 * for a place from which it cannot go on or one tool host too many, `overloaded` at a bound, or the
 * end of its call.
 */
export async function attachReader(
  live: LiveExecution,
  { afterSequence, answerTools, endsAt }: Place,
  signal: AbortSignal,
): Promise<Reader> {
  const { execution, log, readers, settled } = live;
  const seat = readers.joinFollower({ signal, endsAt });
  try {
    await log.checkPlace(afterSequence, signal);
    // Before the start there is nothing to answer, and `started` comes first in the log.
    if (answerTools) await untilAborted(live.started, signal);
    if (answerTools && !log.isEnded) return await changeHost(live, { seat, afterSequence, signal });
    const attached = { lastSequence: log.lastSequence, openCalls: [] };
    const read = () => log.follow(afterSequence, signal);
    const leave = async () => {
      seat[Symbol.dispose]();
      await settled();
    };
    return new Reader({ execution, attached, host: 0, tools: [], signal, read, leave });
  } catch (error) {
    seat[Symbol.dispose]();
    const isCallOver = signal.aborted && error === signal.reason;
    throw isCallOver ? callEnded(error) : execution.statusOf(error);
  }
}

interface Seat {
  readonly seat: Disposable;
  readonly afterSequence: number;
  readonly signal: AbortSignal;
}

/** The reader that becomes the tool host, which the log tells. */
async function changeHost(
  live: LiveExecution,
  { seat, afterSequence, signal }: Seat,
): Promise<Reader> {
  const { log, tools, lose } = live;
  const host = tools.changeHost();
  const noted = log.note({ type: "tool_host_changed", host });
  // Read in one turn with the event before: each call is either open here or comes after it.
  const attached = { lastSequence: log.lastSequence, openCalls: tools.openCalls() };
  const reader = leadingReader(live, { seat, attached, host, signal }, afterSequence);
  try {
    await noted;
    return reader;
  } catch (error) {
    lose(error);
    await reader[Symbol.asyncDispose]();
    throw error;
  }
}

interface LeadingSeat {
  readonly seat: Disposable;
  readonly attached: Attached;
  readonly host: number;
  readonly signal: AbortSignal;
}

function leadingReader(
  { execution, log, declared, settled }: LiveExecution,
  { seat, ...rest }: LeadingSeat,
  afterSequence = 0,
): Reader {
  const leading = log.lead(afterSequence);
  const leave = async () => {
    leading.leave();
    seat[Symbol.dispose]();
    await settled();
  };
  const read = () => leading.read(rest.signal);
  return new Reader({ ...rest, execution, tools: declared, read, leave });
}
