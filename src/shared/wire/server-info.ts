import { create } from "@bufbuild/protobuf";
import {
  type EngineInfo as EngineInfoMessage,
  EngineInfoSchema,
  type GetServerInfoResponse,
  GetServerInfoResponseSchema,
} from "../../../gen/es/codemode/v1/executor_pb.ts";
import type { EngineInfo, Limits, ServerInfo } from "../model.ts";
import { tiers, tierToWire } from "./enums.ts";
import { fromLimitsMessage, toLimitsMessage } from "./limits.ts";
import { fromDuration, toDuration } from "./time.ts";

/** Server information to its message. */
export function toServerInfoMessage(info: ServerInfo): GetServerInfoResponse {
  return create(GetServerInfoResponseSchema, {
    version: info.version,
    instanceId: info.instanceId,
    engines: info.engines.map((engine) =>
      create(EngineInfoSchema, {
        ...engine,
        languages: [...engine.languages],
        isolationTier: tierToWire(engine.isolationTier),
        probes: [...engine.probes],
        warnings: [...engine.warnings],
      }),
    ),
    defaultLimits: toLimitsMessage(info.defaultLimits),
    maxLimits: toLimitsMessage(info.maxLimits),
    maxCodeBytes: BigInt(info.maxCodeBytes),
    maxKeepWithoutReader: toDuration(info.maxKeepWithoutReaderMs),
    requiredIsolationTier: tiers.toWire(info.requiredIsolationTier),
    queueTimeout: toDuration(info.queueTimeoutMs),
  });
}

/** A message to server information. */
export function fromServerInfoMessage(message: GetServerInfoResponse): ServerInfo {
  return {
    version: message.version,
    instanceId: message.instanceId,
    engines: message.engines.map(fromEngineInfoMessage),
    defaultLimits: fromLimitsMessage(message.defaultLimits) as Limits,
    maxLimits: fromLimitsMessage(message.maxLimits) as Limits,
    maxCodeBytes: Number(message.maxCodeBytes),
    maxKeepWithoutReaderMs: fromDuration(message.maxKeepWithoutReader) ?? 0,
    requiredIsolationTier: tiers.fromWire(message.requiredIsolationTier) ?? "T2",
    queueTimeoutMs: fromDuration(message.queueTimeout) ?? 0,
  };
}

function fromEngineInfoMessage(message: EngineInfoMessage): EngineInfo {
  const { name, languages, up, reason, version, probes, warnings } = message;
  const isolationTier = tiers.fromWire(message.isolationTier);
  return { name, languages, up, reason, version, isolationTier, probes, warnings };
}
