import type { Settings } from "../../src/server/settings.ts";
import { connectClient } from "./client.ts";
import {
  createScriptedExecutor,
  forever,
  type Script,
  type ScriptedGuest,
} from "./scripted-executor.ts";
import { startServer } from "./server.ts";

/** A program that prints what the test hands it, in the test's own time, and ends when it says so. */
export function createTeleprinter() {
  const guests: ScriptedGuest[] = [];
  let waiting = Promise.withResolvers<ScriptedGuest>();
  const ends: PromiseWithResolvers<unknown>[] = [];
  const script: Script = (guest) => {
    const end = Promise.withResolvers<unknown>();
    guests.push(guest);
    ends.push(end);
    waiting.resolve(guest);
    waiting = Promise.withResolvers();
    return Promise.race([end.promise, forever(guest)]);
  };
  return {
    script,
    /** The newest guest writes. */
    print: async (text: string) => {
      const guest = guests.at(-1) ?? (await waiting.promise);
      await guest.print(text);
    },
    /** The newest guest ends with a value. */
    end: (value: unknown = null) => ends.at(-1)?.resolve(value),
  };
}

/** A server over scripted programs with two tenants, and a client of each. */
export async function setUpTenants(scripts: Record<string, Script> = {}, settings: Settings = {}) {
  const printer = createTeleprinter();
  const executor = createScriptedExecutor({ forever, printer: printer.script, ...scripts });
  const server = await startServer({
    executors: [executor],
    settings: {
      api_keys: [
        { key: "acme-key", tenant: "acme" },
        { key: "globex-key", tenant: "globex" },
      ],
      ...settings,
    },
  });
  const acme = connectClient(server.url, "acme-key");
  const globex = connectClient(server.url, "globex-key");
  return {
    server,
    executor,
    printer,
    acme,
    globex,
    async [Symbol.asyncDispose]() {
      acme[Symbol.dispose]();
      globex[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}
