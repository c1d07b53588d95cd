import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type Duration,
  type DurationSchema,
  type Timestamp,
  timestampDate,
  timestampFromDate,
} from "@bufbuild/protobuf/wkt";

/** Milliseconds to a protobuf Duration. */
export function toDuration(ms: number): MessageInitShape<typeof DurationSchema> {
  const seconds = Math.trunc(ms / 1000);
  const nanos = Math.round((ms - seconds * 1000) * 1e6);
  // Rounding may fill a second up, and a Duration's nanos end at 999,999,999.
  const carry = Math.trunc(nanos / 1e9);
  return { seconds: BigInt(seconds + carry), nanos: nanos - carry * 1e9 };
}

/** A protobuf Duration to milliseconds; undefined when unset. */
export function fromDuration(duration: Duration | undefined): number | undefined {
  return duration && Number(duration.seconds) * 1000 + duration.nanos / 1e6;
}

/** A date to a protobuf Timestamp. */
export function toTime(time: Date | undefined): Timestamp | undefined {
  return time && timestampFromDate(time);
}

/** A protobuf Timestamp to a date. */
export function fromTime(time: Timestamp | undefined): Date | undefined {
  return time && timestampDate(time);
}

/** A property, or none when the value is undefined. */
export function optional<K extends string, T>(key: K, value: T | undefined): { [P in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]: T });
}
