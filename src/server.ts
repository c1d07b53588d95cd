export type {
  Executor,
  ExecutorInfo,
  GuestEvent,
  GuestRun,
  GuestTool,
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
export type { EngineInfo, Failure, Limits, ProgramResult, ProgramValue } from "./shared/model.ts";
export { failed, Stop, stopped } from "./shared/stop.ts";
