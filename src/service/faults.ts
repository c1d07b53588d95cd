import { CodemodeError, type FieldViolation } from "../shared/errors.ts";

/** Collects what is wrong with a request, so that one answer names all of it. */
export class Faults {
  readonly #violations: FieldViolation[] = [];

  add(field: string, description: string): void {
    this.#violations.push({ field, description });
  }

  /** A CodemodeError `invalid_request` with every fault. */
  toError(): CodemodeError {
    const text = this.#violations.map(({ field, description }) => `${field} ${description}`);
    const violations = this.#violations;
    return new CodemodeError("invalid_request", text.join("; "), { violations });
  }

  /** Throws when there is a fault. */
  throwIfAny(): void {
    if (this.#violations.length > 0) throw this.toError();
  }
}
