export type {
  Executor,
  GuestEvent,
  GuestRun,
  GuestToolCall,
  GuestToolResult,
  GuestUsage,
  Program,
} from "./executors/executor.ts";
export { type Config, type ConfigSources, loadConfig, parseConfig } from "./server/config.ts";
export {
  createServer,
  type Server,
  type ServerOptions,
  type ServerStats,
} from "./server/server.ts";
export type { ApiKey, Settings } from "./server/settings.ts";
