import { type Logger, pino } from "pino";

/** Levels of the log. */
export const logLevels = ["silent", "error", "warn", "info", "debug"] as const;

/** A level of the log. */
export type LogLevel = (typeof logLevels)[number];

/** A log of JSON lines on stdout. */
export function createLogger(level: LogLevel): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime });
}
