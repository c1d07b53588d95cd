import type { ToolServices } from "./tool-service.ts";
import {
  createToolServiceClient,
  type ToolServiceClientOptions,
  type ToolServiceTarget,
} from "./tool-service-client.ts";

/** Makes the clients of all configured tool services; nothing is sent before they are used. */
export function createToolServices(
  targets: readonly ToolServiceTarget[],
  options: ToolServiceClientOptions,
): ToolServices {
  const clients = new Map(
    targets.map((target) => [target.name, createToolServiceClient(target, options)]),
  );
  return {
    names: [...clients.keys()],
    get: (name) => clients.get(name),
    [Symbol.dispose]() {
      for (const client of clients.values()) client[Symbol.dispose]();
    },
  };
}
