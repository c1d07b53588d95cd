import { createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { ToolService } from "../../../gen/es/codemode/v1/tool_service_pb.ts";

/** A client of a tool service, as the server is one. */
export function connectTools(url: string, apiKey?: string, ca?: Buffer) {
  const interceptors: Interceptor[] = [
    (next) => (req) => {
      if (apiKey !== undefined) req.header.set("authorization", `Bearer ${apiKey}`);
      return next(req);
    },
  ];
  const sessionManager = new Http2SessionManager(url, {}, ca === undefined ? {} : { ca });
  const transport = createGrpcTransport({ baseUrl: url, sessionManager, interceptors });
  const client = createClient(ToolService, transport);
  return Object.assign(client, { [Symbol.dispose]: () => sessionManager.abort() });
}
