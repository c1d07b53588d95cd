import type { Channel, EngineInfo, ProgramResult, ToolFailure } from "../shared/model.ts";

/** What a guest is started with: the program as the guest may see it, and its bounds. */
export interface GuestProgram {
  /** JSON text that the guest reads: code, language, context, config, tools, hasMoreTools, maxOpenCalls. */
  readonly text: string;
  readonly seed: bigint;
  readonly memoryBytes: number;
  /** From its start to its end, milliseconds; the host ends it there. */
  readonly wallMs: number;
  /** CPU time, milliseconds. */
  readonly activeMs: number;
  readonly threads: number;
  /** stdout and stderr together; the host counts, whoever can also counts before it sends. */
  readonly outputBytes: number;
  /** Longest JSON text of the result, bytes. */
  readonly resultBytes: number;
  /** Longest JSON text of a tool's arguments, bytes. */
  readonly toolPayloadBytes: number;
}

/** What a guest said. All of it is the guest's word, checked for form only. */
export type GuestFrame =
  | {
      readonly type: "output";
      readonly channel: Channel;
      readonly chunks: readonly Uint8Array[];
      /** Of all chunks together. */
      readonly byteLength: number;
    }
  | {
      readonly type: "tool_call";
      /** 1, 2, 3, ... without a gap. */
      readonly call: number;
      readonly callKey: string;
      readonly tool: string;
      /** A JSON object. */
      readonly argumentsJson: string;
    }
  /** The program is over and comes to its end; what it had, without its JSON. `result` follows. */
  | { readonly type: "ending"; readonly result: ProgramResult }
  | { readonly type: "result"; readonly result: ProgramResult };

/** The answer to a guest's call: JSON text of the value, or why there is none. */
export type GuestAnswer =
  | { readonly call: number; readonly resultJson: string }
  | { readonly call: number; readonly error: Pick<ToolFailure, "kind" | "message"> };

/** How a guest's process ended, as the host saw it. */
export interface GuestExit {
  /**
   * `exited` by itself, `signalled` by a signal (the host's own kill included), `cpu` at its CPU
   * limit, `fault` for breaking the protocol, `lost` with the process or thread that held it.
   */
  readonly cause: "exited" | "signalled" | "cpu" | "fault" | "lost";
  /** Status, signal, fault, or how it was lost, for the message. */
  readonly detail: string;
  readonly cpuMs: number;
  readonly peakMemoryBytes: number;
}

/**
 * A locked process or instance that waits for one program, runs it, and is gone. Disposing kills it
 * and drops what it has said and nobody has read.
 */
export interface Guest extends Disposable {
  /** Hands over limits and program; once. */
  start(program: GuestProgram): void;
  /** Hands over the answer to a call; without effect when the guest is gone. */
  answer(answer: GuestAnswer): void;
  /** Frames in the order of the guest; a reader that stops reading makes the guest wait. Ends with it. */
  readonly frames: AsyncIterable<GuestFrame>;
  /** Kills the guest, whatever it does; idempotent. */
  kill(): void;
  /** Resolves when the guest is gone for certain; never rejects. */
  readonly exited: Promise<GuestExit>;
}

/** Makes guests of one kind. Disposing kills them all and leaves nothing behind. */
export interface Sandbox extends AsyncDisposable {
  /** State, with the isolation that live probes proved. */
  info(): EngineInfo;
  /**
   * A guest that is locked and waits. Guests of one group may share a thread, others never do.
   * Rejects with a CodemodeError `unavailable` when none can be had, with `signal.reason` when the
   * signal aborts.
   */
  lease(signal: AbortSignal, group: string): Promise<Guest>;
}
