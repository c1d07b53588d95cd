import type { ExecutionRequest as RequestMessage } from "../../gen/es/codemode/v1/execution_pb.ts";
import type { ExecutionRequest } from "../shared/model.ts";
import { runAtOnce } from "../shared/turns.ts";
import { fromDuration } from "../shared/wire/time.ts";
import { type Declared, parseToolServices, readTools } from "./declarations.ts";
import { Faults } from "./faults.ts";
import { checkDuration, type LimitBounds, parseLimits } from "./limits.ts";
import { readSource, type Source } from "./source.ts";
import { parseVariables } from "./variables.ts";

/** What requests get and may ask for. */
export interface RequestBounds extends LimitBounds {
  /** Longest source, UTF-8 bytes. */
  readonly maxCodeBytes: number;
  /** Longest life without a reader, milliseconds. */
  readonly maxKeepWithoutReaderMs: number;
  /** Languages that some engine is for, up or not. */
  readonly languages: readonly string[];
  /** Names of the configured tool services. */
  readonly toolServices: readonly string[];
}

const defaultLanguage = "python";
const idPattern = /^[A-Za-z0-9._-]{1,128}$/;
const idRule = "must be 1 to 128 characters of A-Z a-z 0-9 . _ -";

/**
 * The request, every field set and within its bounds; its tools are `declared` where they have been
 * read before. Throws a CodemodeError `invalid_request` with every violation at once.
 */
export function parseExecutionRequest(
  message: RequestMessage | undefined,
  bounds: RequestBounds,
  correlationId: string,
  declared: Declared = runAtOnce(readTools(message?.tools ?? [])),
): ExecutionRequest {
  const faults = new Faults();
  if (message === undefined) {
    faults.add("request", "is required");
    throw faults.toError();
  }
  const request = parse(message, bounds, declared, faults);
  faults.throwIfAny();
  return { ...request, correlationId: request.correlationId || correlationId };
}

function parse(
  message: RequestMessage,
  bounds: RequestBounds,
  declared: Declared,
  faults: Faults,
): ExecutionRequest {
  const { requestId, correlationId } = message;
  const language = message.language === "" ? defaultLanguage : message.language;
  if (requestId !== "" && !idPattern.test(requestId)) faults.add("request.request_id", idRule);
  if (correlationId !== "" && !idPattern.test(correlationId)) {
    faults.add("request.correlation_id", idRule);
  }
  return {
    ...parseCode(message.code, language, bounds.maxCodeBytes, faults),
    language: checkLanguage(language, bounds.languages, faults),
    context: parseVariables(message.context, "request.context", faults),
    config: parseVariables(message.config, "request.config", faults),
    limits: parseLimits(message.limits, bounds, faults),
    tools: toolsOf(declared, faults),
    toolServices: parseToolServices(message.toolServices, bounds.toolServices, faults),
    keepWithoutReaderMs: parseKeep(message, bounds.maxKeepWithoutReaderMs, faults),
    requestId,
    correlationId,
  };
}

function parseCode(text: string, language: string, maxBytes: number, faults: Faults): Source {
  const bytes = Buffer.byteLength(text);
  if (bytes > maxBytes) {
    faults.add("request.code", `is ${bytes} bytes, at most ${maxBytes}`);
    return { code: "", unfenced: undefined };
  }
  const source = readSource(text, language);
  const { code, fault } = source.unfenced ?? { code: source.code, fault: "" };
  if (source.code === "" || (fault === "" && code.trim() === "" && text.trim() !== ""))
    faults.add("request.code", "is empty");
  return source;
}

function checkLanguage(language: string, known: readonly string[], faults: Faults): string {
  if (!known.includes(language)) {
    const name = JSON.stringify(language.slice(0, 64));
    faults.add("request.language", `is ${name}, known are ${known.join(", ")}`);
  }
  return language;
}

function toolsOf(declared: Declared, faults: Faults): Declared["tools"] {
  for (const { field, description } of declared.faults) faults.add(field, description);
  return declared.tools;
}

function parseKeep(message: RequestMessage, maxMs: number, faults: Faults): number {
  const field = "request.keep_without_reader";
  if (!checkDuration(message.keepWithoutReader, field, faults)) return 0;
  const keepMs = fromDuration(message.keepWithoutReader) ?? 0;
  if (keepMs > maxMs) faults.add(field, `is ${keepMs} ms, at most ${maxMs} ms`);
  return keepMs;
}
