import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import type { AddressInfo } from "node:net";
import type { ServiceImpl } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { ExecutorService } from "../../../gen/es/codemode/v1/executor_pb.ts";

/** What the service does; a method left out is unimplemented. */
export type Script = Partial<ServiceImpl<typeof ExecutorService>>;

/** A service of the test's own making, for what a real server cannot easily do. */
export interface ScriptedService extends AsyncDisposable {
  readonly url: string;
  /** Connections that were opened so far. */
  readonly connections: number;
  /** Cuts every connection. */
  disconnect(): void;
}

/** Options of `startScriptedService`. */
export interface ScriptedOptions {
  readonly httpVersion?: "1.1" | "2";
  /** Sees an HTTP/2 stream first, and which method it calls; true keeps it from the service. */
  readonly intercept?: (stream: http2.ServerHttp2Stream, method: string) => boolean;
}

/** Serves a script on loopback. */
export async function startScriptedService(
  script: Script,
  { httpVersion = "2", intercept }: ScriptedOptions = {},
): Promise<ScriptedService> {
  const adapter = connectNodeAdapter({
    routes: (router) => router.service(ExecutorService, script),
  });
  const server =
    httpVersion === "1.1"
      ? http.createServer(adapter)
      : http2.createServer().on("request", (request, response) => {
          const method = request.url.slice(request.url.lastIndexOf("/") + 1);
          if (!intercept?.(request.stream, method)) adapter(request, response);
        });
  const sockets = new Set<{ destroy(): unknown }>();
  let connections = 0;
  server.on("connection", (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const disconnect = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${port}`,
    get connections() {
      return connections;
    },
    disconnect,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      disconnect();
      await closed;
    },
  };
}
