import type { JsonObject as StructValue } from "@bufbuild/protobuf";
import { type CallOptions, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { ToolService as Service } from "../../gen/es/codemode/v1/tool_service_pb.ts";
import type { RetryPolicy } from "../shared/backoff.ts";
import { isNotSent } from "../shared/connection-faults.ts";
import { Http2Sessions } from "../shared/http2-sessions.ts";
import type { ToolAnswer } from "../shared/model.ts";
import { tryAgain } from "../shared/retrying.ts";
import { correlationHeader } from "../shared/status.ts";
import { fromAnswerArm, fromToolDeclarationMessage } from "../shared/wire/tool.ts";
import { failure } from "./answer.ts";
import { isTransient, retryOf, toServiceFailure, whyUnreached } from "./service-faults.ts";
import { ToolList } from "./tool-list.ts";
import type { ServiceCall, ToolService } from "./tool-service.ts";

/** One configured tool service. */
export interface ToolServiceTarget {
  readonly name: string;
  /** Such as "http://127.0.0.1:9000"; https with TLS. */
  readonly url: string;
  /** Sent as a bearer token. */
  readonly apiKey: string | undefined;
  /** No two pings are closer, milliseconds. */
  readonly pingIntervalMs: number;
  /** PEM: authorities beside the system's, and an identity of our own. */
  readonly tls: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
}

/** Times and sizes of a client, milliseconds and bytes. */
export interface ToolServiceClientOptions {
  /** Largest result that is taken. */
  readonly payloadBytes: number;
  /** How long a list of tools is good. */
  readonly listMaxAgeMs: number;
  /** How long it is good for calls of unknown names. */
  readonly listFreshMs: number;
  readonly listTimeoutMs: number;
  readonly retry: RetryPolicy;
  /** Told once whenever it changes whether a service can be reached: why not, or undefined. */
  readonly onReach?: (service: string, why: string | undefined) => void;
}

/** A tool service and its connection. Disposing it ends the connection and every call on it. */
export interface ToolServiceClient extends ToolService, Disposable {}

// A connection that was silent for so long is looked at, as far as pings are allowed.
const idlePingMs = 10_000;
// Lists come with the schemas of all tools.
const maxListBytes = 16 * 1024 * 1024;
// What a response holds beside its result; one that is a little too large is told its size.
const envelopeBytes = 64 * 1024;

/** Prepares a connection to a tool service; nothing is sent before the first list or call. */
export function createToolServiceClient(
  target: ToolServiceTarget,
  options: ToolServiceClientOptions,
): ToolServiceClient {
  const { name, url, apiKey, tls } = target;
  const { pingIntervalMs } = target;
  // Other people's gRPC servers end a connection that pings more often than they think fit.
  const keepalive = { pingAfterMs: idlePingMs, pingTimeoutMs: 5_000, pingGapMs: pingIntervalMs };
  const sessionManager = new Http2Sessions({ url, tls, keepalive });
  const common = { baseUrl: url, sessionManager, acceptCompression: [] };
  const clientOf = (readMaxBytes: number) =>
    createClient(Service, createGrpcTransport({ ...common, readMaxBytes }));
  const lists = clientOf(maxListBytes);
  const calls = clientOf(2 * options.payloadBytes + envelopeBytes);
  const authorization: Record<string, string> =
    apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  let isReached: string | undefined;
  const reach = (status?: ConnectError) => {
    const why = status && whyUnreached(status);
    if (why === isReached || (status !== undefined && why === undefined)) return;
    isReached = why;
    options.onReach?.(name, why);
  };
  /** Takes note of what becomes of an attempt. */
  const noting = async <T>(attempt: Promise<T>): Promise<T> => {
    try {
      const result = await attempt;
      reach();
      return result;
    } catch (error) {
      reach(ConnectError.from(error));
      throw error;
    }
  };
  const list = new ToolList({
    service: name,
    maxAgeMs: options.listMaxAgeMs,
    freshMs: options.listFreshMs,
    timeoutMs: options.listTimeoutMs,
    fetch: (signal) =>
      tryAgain({ signal, waitMs: retryOf(options.retry, isTransient) }, async () => {
        const request = { includeSchemas: true };
        const { tools } = await noting(
          lists.listTools(request, { headers: authorization, signal }),
        );
        return tools.map(fromToolDeclarationMessage);
      }),
  });

  async function send(call: ServiceCall, signal: AbortSignal): Promise<ToolAnswer> {
    const { context, ...scope } = call.scope;
    const callOptions: CallOptions = {
      signal,
      timeoutMs: Math.max(1, Math.ceil(call.endsAt - performance.now())),
      headers: {
        ...authorization,
        [correlationHeader]: scope.correlationId,
        ...(scope.traceparent === undefined ? {} : { traceparent: scope.traceparent }),
      },
    };
    const { executionId, correlationId } = scope;
    const request = {
      tool: call.tool.name,
      argumentsJson: call.argumentsJson,
      // Comes from a Struct of the caller's, so that it holds nothing that a Struct cannot.
      context: context as StructValue,
      executionId,
      callId: call.callId,
      correlationId,
    };
    const response = await noting(calls.callTool(request, callOptions));
    return (
      fromAnswerArm(response.result) ??
      failure("invalid_result", `the tool service gave no result for ${call.tool.name}`)
    );
  }

  return {
    name,
    tools: (signal, { isFresh = false } = {}) => list.get(signal, isFresh),
    async call(call, signal) {
      const mayRetry = (status: ConnectError) =>
        isTransient(status) && (call.tool.idempotent || isNotSent(status));
      try {
        const waitMs = retryOf(options.retry, mayRetry);
        return await tryAgain({ signal, waitMs }, () => send(call, signal));
      } catch (error) {
        signal.throwIfAborted();
        const status = ConnectError.from(error);
        if (status.code === Code.NotFound) list.forget();
        return toServiceFailure(name, call.tool.name, status);
      }
    },
    [Symbol.dispose]: () => sessionManager.abort(),
  };
}
