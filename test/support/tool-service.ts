import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import type { ToolDeclarationSchema } from "../../gen/es/codemode/v1/tool_pb.ts";
import {
  type CallToolRequest,
  type CallToolResponseSchema,
  ToolService,
} from "../../gen/es/codemode/v1/tool_service_pb.ts";
import { connectionsOf, type ServedConnection } from "./idle-faults.ts";

/** A call as the application got it. */
export interface ReceivedCall {
  readonly request: CallToolRequest;
  readonly header: Headers;
  /** What is left of the RPC's deadline, milliseconds. */
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal;
  /** Breaks the connection. */
  breakOff(): void;
}

type Answer = MessageInitShape<typeof CallToolResponseSchema>;

/** What the application does. */
export interface ToolServiceScript {
  tools(): readonly MessageInitShape<typeof ToolDeclarationSchema>[];
  call(received: ReceivedCall): Promise<Answer> | Answer;
}

/** An application that serves tools, on loopback. */
export interface ScriptedToolService extends AsyncDisposable {
  /** HOST:PORT. */
  readonly target: string;
  readonly url: string;
  readonly calls: readonly ReceivedCall[];
  /** Headers of the requests for a list. */
  readonly lists: readonly Headers[];
  readonly connections: readonly ServedConnection[];
  /** Resolves with the next call. */
  nextCall(): Promise<ReceivedCall>;
}

/** The value of a tool, as JSON. */
export const value = (json: unknown): Answer => ({
  result: { case: "resultJson", value: JSON.stringify(json) },
});

/** Where and how an application is served. */
export interface ServeOptions {
  /** Default: any free one. */
  readonly port?: number;
  /** PEM; default: in the clear. */
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** Starts an application. */
export async function startToolService(
  script: Partial<ToolServiceScript> = {},
  { port = 0, ...tls }: ServeOptions = {},
): Promise<ScriptedToolService> {
  const calls: ReceivedCall[] = [];
  const lists: Headers[] = [];
  const waiting: ((call: ReceivedCall) => void)[] = [];
  const sessions = new Set<http2.ServerHttp2Session>();
  const handler = connectNodeAdapter({
    routes: (router) =>
      router.service(ToolService, {
        listTools(_request, { requestHeader }) {
          lists.push(requestHeader);
          return { tools: [...(script.tools?.() ?? [])] };
        },
        async callTool(request, context: HandlerContext) {
          const received: ReceivedCall = {
            request,
            header: context.requestHeader,
            timeoutMs: context.timeoutMs(),
            signal: context.signal,
            breakOff() {
              for (const session of sessions) session.destroy();
            },
          };
          calls.push(received);
          waiting.shift()?.(received);
          return (await script.call?.(received)) ?? value(null);
        },
      }),
  });
  const server =
    tls.key === undefined
      ? http2.createServer({}, handler)
      : http2.createSecureServer(tls, handler);
  const connections = connectionsOf(server);
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    target,
    url: `http://${target}`,
    calls,
    lists,
    connections,
    nextCall: () => new Promise((resolve) => waiting.push(resolve)),
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const session of sessions) session.destroy();
      await closed;
    },
  };
}
