import type { Duration } from "@bufbuild/protobuf/wkt";
import type { Limits as LimitsMessage } from "../../gen/es/codemode/v1/execution_pb.ts";
import type { Limits } from "../shared/model.ts";
import { fromLimitsMessage } from "../shared/wire/limits.ts";
import type { Faults } from "./faults.ts";

/** Limits that a request gets, and the most that it may ask for. */
export interface LimitBounds {
  /** For fields that a request leaves unset. */
  readonly defaultLimits: Limits;
  /** The most that a request may ask for; more is refused, never capped. */
  readonly maxLimits: Limits;
}

const fields = {
  wallMs: { field: "wall_timeout", unit: " ms" },
  activeMs: { field: "active_timeout", unit: " ms" },
  waitMs: { field: "wait_timeout", unit: " ms" },
  memoryBytes: { field: "memory_bytes", unit: " bytes" },
  outputBytes: { field: "output_bytes", unit: " bytes" },
  toolCalls: { field: "tool_calls", unit: "" },
  openToolCalls: { field: "open_tool_calls", unit: "" },
  threads: { field: "threads", unit: "" },
} satisfies Record<keyof Limits, { field: string; unit: string }>;

/** The limits of a request, every field set; what is out of bounds becomes a fault. */
export function parseLimits(
  message: LimitsMessage | undefined,
  bounds: LimitBounds,
  faults: Faults,
): Limits {
  const durations = {
    wallMs: message?.wallTimeout,
    activeMs: message?.activeTimeout,
    waitMs: message?.waitTimeout,
  };
  const invalid = Object.entries(durations).filter(
    ([key, value]) => !checkDuration(value, fieldPath(key as keyof Limits), faults),
  );
  const limits: Record<keyof Limits, number> = { ...bounds.defaultLimits };
  for (const [name, value] of Object.entries(fromLimitsMessage(message))) {
    const key = name as keyof Limits;
    if (invalid.some(([each]) => each === key)) continue;
    const max = bounds.maxLimits[key];
    const { unit } = fields[key];
    if (value > max) faults.add(fieldPath(key), `is ${value}${unit}, at most ${max}${unit}`);
    limits[key] = value;
  }
  return limits;
}

function fieldPath(key: keyof Limits): string {
  return `request.limits.${fields[key].field}`;
}

// About 10,000 years, as duration.proto says.
const maxSeconds = 315_576_000_000n;

/** Whether a duration is one: in range, not negative; a fault if it is not. Unset is fine. */
export function checkDuration(
  duration: Duration | undefined,
  field: string,
  faults: Faults,
): boolean {
  if (duration === undefined) return true;
  const { seconds, nanos } = duration;
  if (seconds < 0n || nanos < 0) {
    faults.add(field, "is negative");
    return false;
  }
  if (seconds > maxSeconds || nanos > 999_999_999) {
    faults.add(field, "is not a valid duration");
    return false;
  }
  return true;
}
