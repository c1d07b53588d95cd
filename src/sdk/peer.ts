import { Code, ConnectError } from "@connectrpc/connect";
import { untilAborted } from "../shared/abort.ts";
import { isConnectionLost, isHandshakeFault, isNotSent } from "../shared/connection-faults.ts";
import { CodemodeConnectionError } from "../shared/errors.ts";
import { instanceTrailer } from "../shared/status.ts";
import { fromServerInfoMessage } from "../shared/wire/server-info.ts";
import type { ExecutorClient } from "./transport.ts";

/** The server that answers on a connection. */
export interface PeerInfo {
  /** It refuses executions that are meant for another instance. */
  readonly instanceId: string;
  /** Longest life of an execution that nobody follows, milliseconds. */
  readonly maxKeepMs: number;
}

// A balancer that spreads calls answers as another one each time; one that spreads connections does so rarely.
const maxMisses = 3;
const askMs = 10_000;

/**
 * What is known of who is at the other end of a connection. A connection may be opened again to
 * another instance, and a proxy may give each call to another one.
 */
export class Peer {
  readonly #client: ExecutorClient;
  #info: Promise<PeerInfo | undefined> | undefined;
  #instanceId: string | undefined;
  #misses = 0;

  constructor(client: ExecutorClient) {
    this.#client = client;
  }

  /**
   * The server, asked once; undefined where it does not say who it is. Rejects with connect's error
   * where it cannot be reached, as retryable where it does not answer, and with the signal's reason.
   */
  info(headers: Headers, signal: AbortSignal): Promise<PeerInfo | undefined> {
    this.#info ??= this.#ask(headers);
    return untilAborted(this.#info, signal);
  }

  /** The instance that was there when it was last asked; undefined where it was not. */
  get instanceId(): string | undefined {
    return this.#instanceId;
  }

  /** Whether requests should name the instance that they are meant for. */
  get isOne(): boolean {
    return this.#misses < maxMisses;
  }

  /** The instance took a request that was meant for it. */
  hit(): void {
    this.#misses = 0;
  }

  /** Another instance had a request that was meant for this one, so that who is there must be asked again. */
  miss(instanceId: string): void {
    // Of many calls that were under way the first tells.
    if (instanceId !== this.#instanceId) return;
    this.#instanceId = undefined;
    this.#info = undefined;
    this.#misses += 1;
  }

  async #ask(headers: Headers): Promise<PeerInfo | undefined> {
    let instanceId: string | undefined;
    try {
      const response = await this.#client.getServerInfo(
        {},
        {
          headers,
          timeoutMs: askMs,
          onTrailer: (trailer) => {
            instanceId = trailer.get(instanceTrailer) ?? undefined;
          },
        },
      );
      const { maxKeepWithoutReaderMs } = fromServerInfoMessage(response);
      if (instanceId === undefined) return undefined;
      this.#instanceId = instanceId;
      return { instanceId, maxKeepMs: maxKeepWithoutReaderMs };
    } catch (error) {
      const status = ConnectError.from(error);
      if (status.code !== Code.Unimplemented) this.#info = undefined;
      if (status.code === Code.DeadlineExceeded) throw silent(error);
      if (isNotSent(status) || isHandshakeFault(status) || isConnectionLost(status)) throw error;
      return undefined;
    }
  }
}

/** Whoever does not even say who it is would not answer anything else: the next one may. */
function silent(cause: unknown): CodemodeConnectionError {
  const message = `the service did not answer within ${askMs} ms`;
  return new CodemodeConnectionError(message, { cause, retryable: true });
}
