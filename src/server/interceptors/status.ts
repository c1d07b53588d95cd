import { ConnectError } from "@connectrpc/connect";
import { CodemodeError } from "../../shared/errors.ts";
import { toConnectError } from "../../shared/status.ts";

/** What is thrown, as a status. Connect's own errors (compression, parsing, size) keep their code. */
export function toStatus(error: unknown): ConnectError {
  if (error instanceof ConnectError) return error;
  // What a signal without a reason gives: the caller has gone.
  if (error instanceof DOMException && error.name === "AbortError")
    return toConnectError(new CodemodeError("cancelled", "the call was cancelled"));
  return toConnectError(CodemodeError.from(error));
}
