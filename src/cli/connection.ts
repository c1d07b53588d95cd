import { randomBytes } from "node:crypto";
import { type Command, Option } from "commander";
import { Codemode } from "../sdk/codemode.ts";
import { loadConfig } from "../server/config.ts";
import { createServer } from "../server/server.ts";

/** Which service a command talks to. */
export interface ServiceOptions {
  /** Address of a service; without it the command starts one of its own. */
  readonly url?: string;
  readonly apiKey?: string;
}

/** A client, and what it needs to be disposed with it. */
export interface ServiceConnection extends AsyncDisposable {
  readonly client: Codemode;
}

/** Adds the options that `ServiceOptions` has. */
export function withServiceOptions(command: Command): Command {
  return command
    .option("--url <url>", "address of a running service (default: one that is started for this)")
    .addOption(
      // In the environment a key is not seen by everyone who lists processes.
      new Option("--api-key <key>", "key of the tenant").env("CODEMODE_EXECUTOR_API_KEY"),
    );
}

/** Connects to a service, or to one of its own on loopback that nobody else has the key of. */
export async function connectService({ url, apiKey }: ServiceOptions): Promise<ServiceConnection> {
  if (url !== undefined) {
    const client = Codemode.connect({ url, apiKey });
    return { client, [Symbol.asyncDispose]: () => client.close() };
  }
  await using starting = new AsyncDisposableStack();
  const key = randomBytes(24).toString("base64url");
  const server = starting.use(
    await createServer({
      ...(await loadConfig()),
      host: "127.0.0.1",
      port: 0,
      tls: undefined,
      apiKeys: [{ key, tenant: "default" }],
      logLevel: "silent",
    }),
  );
  const client = starting.use(Codemode.connect({ url: server.url, apiKey: key }));
  const resources = starting.move();
  return { client, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}
