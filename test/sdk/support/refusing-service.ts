import { once } from "node:events";
import http2 from "node:http2";
import type { AddressInfo, Server } from "node:net";
import { onTestFinished } from "vitest";
import type { ConnectOptions } from "../../../src/index.ts";
import { connectionsOf, type ServedConnection } from "../../support/idle-faults.ts";
import { identity } from "../../support/tls/localhost.ts";

/** What a service is reached over. */
export type Wire = "the clear" | "TLS";

/** A gRPC service that says that nothing is found. */
export interface RefusingService {
  readonly url: string;
  /** What a client needs beside the url. */
  readonly options: Pick<ConnectOptions, "tls">;
  readonly connections: readonly ServedConnection[];
}

/** Starts one until the test is over. */
export async function startRefusing(wire: Wire = "the clear"): Promise<RefusingService> {
  const refuse = (_request: http2.Http2ServerRequest, { stream }: http2.Http2ServerResponse) => {
    const head = { ":status": 200, "content-type": "application/grpc", "grpc-status": "5" };
    stream.respond(head, { endStream: true });
  };
  const isSecure = wire === "TLS";
  const server = isSecure ? http2.createSecureServer(identity, refuse) : http2.createServer(refuse);
  const connections = connectionsOf(server);
  const url = await listen(server);
  return {
    url: isSecure ? url.replace("http:", "https:") : url,
    options: isSecure ? { tls: { ca: identity.cert } } : {},
    connections,
  };
}

/** Listens on loopback until the test is over. */
export async function listen(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
