import { firstBytes } from "../shared/capped-text.ts";
import { checkJson, JsonError, maxCheckedValues } from "../shared/json.ts";
import type { ToolAnswer, ToolFailure } from "../shared/model.ts";

const maxMessageBytes = 8192;
const maxTypeBytes = 256;

/** The answer of a call that failed. */
export function failure(kind: ToolFailure["kind"], message: string): { error: ToolFailure } {
  return { error: { kind, type: "", message } };
}

/**
 * An answer as the guest may have it: a value that is not exact JSON or too large becomes a failure
 * of kind `invalid_result` that names the place or the size; the texts of a failure are cut.
 */
export function checkAnswer(tool: string, answer: ToolAnswer, maxBytes: number): ToolAnswer {
  if ("error" in answer) {
    const { kind, type, message } = answer.error;
    return {
      error: {
        kind,
        type: firstBytes(type, maxTypeBytes),
        message: firstBytes(message, maxMessageBytes),
      },
    };
  }
  const { resultJson } = answer;
  const bytes = Buffer.byteLength(resultJson);
  if (bytes > maxBytes) {
    const text = `the result of ${tool} is ${bytes} bytes of JSON, at most ${maxBytes} are taken`;
    return failure("invalid_result", text);
  }
  try {
    checkJson(resultJson, maxCheckedValues);
    return { resultJson };
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    return failure("invalid_result", `the result of ${tool} is not JSON at ${error.message}`);
  }
}

/** The failure of a call whose arguments are too large; undefined when they are not. */
export function argumentsTooLarge(
  tool: string,
  bytes: number,
  maxBytes: number,
): ToolAnswer | undefined {
  if (bytes <= maxBytes) return undefined;
  const text = `the arguments of ${tool} are ${bytes} bytes of JSON, at most ${maxBytes} are taken`;
  return failure("invalid_arguments", text);
}
