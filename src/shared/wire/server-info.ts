import { create } from "@bufbuild/protobuf";
import type { Limits as LimitsMessage } from "../../../gen/es/codemode/v1/execution_pb.ts";
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

// Of a server that does not tell a limit, nothing is known to be granted.
const noLimits: Limits = {
  wallMs: 0,
  activeMs: 0,
  waitMs: 0,
  memoryBytes: 0,
  outputBytes: 0,
  toolCalls: 0,
  openToolCalls: 0,
  threads: 0,
};

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
    defaultLimits: fromFullLimits(message.defaultLimits),
    maxLimits: fromFullLimits(message.maxLimits),
    maxCodeBytes: Number(message.maxCodeBytes),
    maxKeepWithoutReaderMs: fromDuration(message.maxKeepWithoutReader) ?? 0,
    requiredIsolationTier: tiers.fromWire(message.requiredIsolationTier) ?? "T2",
    queueTimeoutMs: fromDuration(message.queueTimeout) ?? 0,
  };
}

function fromFullLimits(message: LimitsMessage | undefined): Limits {
  return { ...noLimits, ...fromLimitsMessage(message) };
}

function fromEngineInfoMessage(message: EngineInfoMessage): EngineInfo {
  const { name, languages, up, reason, version, warnings } = message;
  const probes = message.probes.map(({ name, refused, detail }) => ({ name, refused, detail }));
  const isolationTier = tiers.fromWire(message.isolationTier);
  return { name, languages, up, reason, version, isolationTier, probes, warnings };
}
