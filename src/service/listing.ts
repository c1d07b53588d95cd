import type { MessageInitShape } from "@bufbuild/protobuf";
import { ExecutionState } from "../../gen/es/codemode/v1/execution_pb.ts";
import type {
  ListExecutionsRequest,
  ListExecutionsResponseSchema,
} from "../../gen/es/codemode/v1/executor_pb.ts";
import { outcomeCost } from "../execution/retained.ts";
import { states } from "../shared/wire/enums.ts";
import { toExecutionMessage } from "../shared/wire/execution.ts";
import { Faults } from "./faults.ts";
import type { Listed, ListFilter } from "./known.ts";

/** A page that was asked for. */
export interface PageRequest {
  readonly filter: ListFilter;
  readonly pageSize: number;
}

const defaultPageSize = 100;
const maxPageSize = 1_000;
// Results are part of a page, and stock clients receive 4 MiB. One execution always has its page.
const maxPageBytes = 2 * 1024 * 1024;
// Ids, times and usage of an execution.
const summaryBytes = 512;

/** The page that a request asks for. Throws a CodemodeError `invalid_request` with every violation. */
export function parsePageRequest(message: ListExecutionsRequest): PageRequest {
  const faults = new Faults();
  const { pageSize, pageToken, correlationId } = message;
  const state = states.fromWire(message.state);
  if (state === undefined && message.state !== ExecutionState.UNSPECIFIED) {
    faults.add("state", `is ${message.state}, which is none`);
  }
  const before = pageToken === "" ? undefined : fromToken(pageToken);
  if (pageToken !== "" && before === undefined) faults.add("page_token", "is not one of this list");
  faults.throwIfAny();
  return {
    filter: { state, correlationId: correlationId === "" ? undefined : correlationId, before },
    pageSize: Math.min(pageSize === 0 ? defaultPageSize : pageSize, maxPageSize),
  };
}

/** The first of the listed executions, as many as a page takes, and the token of those that follow. */
export function toPage(
  listed: Iterable<Listed>,
  pageSize: number,
): MessageInitShape<typeof ListExecutionsResponseSchema> {
  const executions: ReturnType<typeof toExecutionMessage>[] = [];
  let bytes = 0;
  let lastPlace = 0;
  for (const { summary, place } of listed) {
    bytes += summaryBytes + (summary.outcome === undefined ? 0 : outcomeCost(summary.outcome));
    const isFull = executions.length === pageSize || bytes > maxPageBytes;
    if (isFull && executions.length > 0) return { executions, nextPageToken: toToken(lastPlace) };
    executions.push(toExecutionMessage(summary));
    lastPlace = place;
  }
  return { executions, nextPageToken: "" };
}

function toToken(place: number): string {
  return Buffer.from(String(place)).toString("base64url");
}

function fromToken(token: string): number | undefined {
  const text = Buffer.from(token, "base64url").toString();
  return /^\d{1,16}$/.test(text) && toToken(Number(text)) === token ? Number(text) : undefined;
}
