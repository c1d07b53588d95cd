import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { ExecutionSchema } from "../../gen/es/codemode/v1/execution_pb.ts";
import { CodemodeError } from "../shared/errors.ts";
import type { Execution, ExecutionRequest } from "../shared/model.ts";
import { overloaded, tenantSubject } from "../shared/overloaded.ts";
import { Shares } from "../shared/shares.ts";
import { fromExecutionMessage, toExecutionMessage } from "../shared/wire/execution.ts";
import { differingFields, fingerprintOf } from "./idempotency-fingerprint.ts";

/** Options of an `IdempotencyTable`. */
export interface IdempotencyTableOptions {
  /** How long a request is known after its execution ended, milliseconds. */
  readonly ttlMs: number;
  /** Requests known at once, running and ended. */
  readonly maxRequests: number;
  /**
   * What is kept of how executions ended, bytes: above it no new request is taken. Those that wait or
   * run by then add theirs.
   */
  readonly outcomeBytes: number;
  /**
   * Tenants that share it. Of several each has an equal part of the outcomes for its own, and the last
   * of what is shared is for those that hold little. Default 1.
   */
  readonly tenants?: number | undefined;
  /** Clock, milliseconds. Default: the process's own. */
  readonly now?: (() => number) | undefined;
}

/** Where the log of an execution ended, and whether the service lost it. */
export interface LogEnd {
  /** Sequence of `finished`. */
  readonly lastSequence: number;
  readonly isLost: boolean;
}

/** How the execution of a known request ended. */
export interface KnownEnd extends Pick<LogEnd, "lastSequence"> {
  /** Undefined when the service lost it. */
  readonly execution: Execution | undefined;
}

/** A request that has been made before. */
export interface KnownRequest {
  readonly executionId: string;
  /** Undefined while the execution waits or runs. */
  readonly end: KnownEnd | undefined;
}

/** What became of a claim: what it started, or what is known of the same request made before. */
export type Claim<T> =
  | { readonly started: T; readonly known: undefined }
  | { readonly started: undefined; readonly known: KnownRequest };

interface Entry {
  readonly key: string;
  readonly tenant: string;
  readonly fingerprint: string;
  readonly executionId: string;
  endedAt: number;
  lastSequence: number;
  /** The ended execution as wire bytes, one a character: a third of what it takes as objects. */
  packed: string;
}

// More than come in, so that the table empties, and few enough that no call waits for them.
const sweepCount = 64;
// While nothing has ended nobody knows when there is a place; this is how soon it is worth a look.
const retryMs = 1_000;

/**
 * The requests that tenants gave an id, each with its one execution. A request is known from its claim
 * until it is released, or some time after its execution ended, and then with its outcome; never is
 * one forgotten to make room.
 */
export class IdempotencyTable {
  readonly #options: IdempotencyTableOptions;
  readonly #now: () => number;
  readonly #places: Shares;
  /** Bytes of outcomes. */
  readonly #outcomes: Shares;
  readonly #entries = new Map<string, Entry>();
  /** In the order in which they ended. */
  readonly #ended = new Set<Entry>();

  constructor(options: IdempotencyTableOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    const { maxRequests, outcomeBytes, tenants = 1 } = options;
    const isShared = tenants > 1;
    this.#places = new Shares({ places: maxRequests, isShared });
    // Nobody knows how large an outcome will be: one tenant's may fill more than all there is.
    const ownPlaces = isShared ? Math.floor(outcomeBytes / tenants) : 0;
    this.#outcomes = new Shares({ places: outcomeBytes, isShared, ownPlaces });
  }

  /** Requests known now. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Claims a request's id for the execution that `start` starts; unless the same request has been made
   * before, then `start` is not called. What `start` throws leaves nothing claimed. Throws a
   * CodemodeError: `already_exists`, naming the fields that differ, for another request of this id,
   * `overloaded` when no more can be known.
   */
  claim<T extends { readonly executionId: string }>(
    tenant: string,
    request: ExecutionRequest,
    start: () => T,
  ): Claim<T> {
    this.#sweep();
    const key = keyOf(tenant, request.requestId);
    const fingerprint = fingerprintOf(request);
    const entry = this.#find(key);
    if (entry !== undefined) {
      const differing = differingFields(entry.fingerprint, fingerprint);
      if (differing.length > 0) throw differs(differing, entry.executionId);
      return { started: undefined, known: toKnown(entry) };
    }
    if (!this.#places.mayTake(tenant)) throw this.#full(tenant, this.#places, "request ids");
    if (!this.#outcomes.mayTake(tenant)) throw this.#full(tenant, this.#outcomes, "outcomes");
    const started = start();
    const { executionId } = started;
    const unended = { endedAt: Infinity, lastSequence: 0, packed: "" };
    this.#entries.set(key, { key, tenant, fingerprint, executionId, ...unended });
    this.#places.take(tenant);
    return { started, known: undefined };
  }

  /** What is known of a request of the tenant. */
  get(tenant: string, requestId: string): KnownRequest | undefined {
    const entry = this.#find(keyOf(tenant, requestId));
    return entry && toKnown(entry);
  }

  /** Frees the id of an execution that never started; without effect when it is not that one's. */
  release(tenant: string, requestId: string, executionId: string): void {
    const entry = this.#entries.get(keyOf(tenant, requestId));
    if (entry?.executionId === executionId && !this.#ended.has(entry)) this.#forget(entry);
  }

  /** Notes how the execution of a claimed request ended; its time to live begins. */
  end(tenant: string, execution: Execution, { lastSequence, isLost }: LogEnd): void {
    const entry = this.#entries.get(keyOf(tenant, execution.requestId));
    if (entry?.executionId !== execution.executionId || this.#ended.has(entry)) return;
    entry.endedAt = this.#now();
    entry.lastSequence = lastSequence;
    this.#ended.add(entry);
    if (isLost) return;
    entry.packed = pack(execution);
    this.#outcomes.take(tenant, entry.packed.length);
  }

  #find(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || !this.#isOver(entry)) return entry;
    this.#forget(entry);
    return undefined;
  }

  #isOver({ endedAt }: Entry): boolean {
    return this.#now() - endedAt >= this.#options.ttlMs;
  }

  #sweep(): void {
    let count = 0;
    for (const entry of this.#ended) {
      if (count === sweepCount || !this.#isOver(entry)) return;
      this.#forget(entry);
      count += 1;
    }
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry.key);
    this.#ended.delete(entry);
    this.#places.giveBack(entry.tenant);
    this.#outcomes.giveBack(entry.tenant, entry.packed.length);
  }

  #full(tenant: string, shares: Shares, what: "request ids" | "outcomes"): CodemodeError {
    const [oldest] = this.#ended;
    const waitMs = oldest && oldest.endedAt + this.#options.ttlMs - this.#now();
    const isOwn = shares.hasItsShare(tenant);
    const { maxRequests, outcomeBytes } = this.#options;
    const all = what === "outcomes" ? outcomeBytes : maxRequests;
    const count = isOwn ? Math.min(shares.heldBy(tenant), all) : all;
    return overloaded({
      message: `no more ${what} can be remembered`,
      ...(isOwn ? { subject: tenantSubject(tenant) } : {}),
      quota: `${count} ${what === "outcomes" ? "bytes of outcomes" : what} remembered`,
      // Its time may be over already: only so many are forgotten at once.
      waitMs: waitMs === undefined ? retryMs : Math.max(waitMs, 0),
    });
  }
}

function keyOf(tenant: string, requestId: string): string {
  return `${tenant}/${requestId}`;
}

function toKnown({ executionId, endedAt, lastSequence, packed }: Entry): KnownRequest {
  if (endedAt === Infinity) return { executionId, end: undefined };
  const execution = packed === "" ? undefined : unpack(packed);
  return { executionId, end: { lastSequence, execution } };
}

function pack(execution: Execution): string {
  return Buffer.from(toBinary(ExecutionSchema, toExecutionMessage(execution))).toString("latin1");
}

function unpack(packed: string): Execution {
  return fromExecutionMessage(fromBinary(ExecutionSchema, Buffer.from(packed, "latin1")));
}

function differs(fields: readonly string[], executionId: string): CodemodeError {
  const message = `the request_id is that of a request with another ${fields.join(", ")}`;
  const violations = fields.map((field) => ({ field, description: "is not what it was" }));
  return new CodemodeError("already_exists", message, { violations, executionId });
}
