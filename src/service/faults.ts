import { CodemodeError, type FieldViolation } from "../shared/errors.ts";

// Faults travel in headers, where a long one breaks the stream, and nobody reads more.
const maxKept = 20;
const maxTextLength = 320;

/** Collects what is wrong with a request, so that one answer names all of it, as far as it has room. */
export class Faults {
  readonly #violations: FieldViolation[] = [];
  #count = 0;

  add(field: string, description: string): void {
    this.#count += 1;
    if (this.#violations.length >= maxKept) return;
    this.#violations.push({ field, description: cut(description) });
  }

  /** A CodemodeError `invalid_request` with the first faults, and how many more there are. */
  toError(): CodemodeError {
    const violations = this.#violations;
    const more = this.#count - violations.length;
    const text = [
      ...violations.map(({ field, description }) => `${field} ${description}`),
      ...(more > 0 ? [`and ${more} more`] : []),
    ];
    return new CodemodeError("invalid_request", text.join("; "), { violations });
  }

  /** Throws when there is a fault. */
  throwIfAny(): void {
    if (this.#violations.length > 0) throw this.toError();
  }
}

/** The error of a request with one fault. */
export function fault(field: string, description: string): CodemodeError {
  const faults = new Faults();
  faults.add(field, description);
  return faults.toError();
}

function cut(text: string): string {
  if (text.length <= maxTextLength) return text;
  // A cut through a pair leaves half a character, which no header takes.
  return `${text.slice(0, maxTextLength).toWellFormed()}…`;
}
