import type { StandardSchemaV1 } from "@standard-schema/spec";

// Enough to mend a program by; a wrong list of thousands has thousands of issues.
const maxIssues = 5;

/** A value that fits its schema, as the schema gives it back, or where it does not fit. */
export type CheckedOutput = { readonly value: unknown } | { readonly fault: string };

/** Checks a value against any Standard Schema, synchronous or not; a fault names the paths, from `$`. */
export async function checkOutput(
  schema: StandardSchemaV1,
  value: unknown,
): Promise<CheckedOutput> {
  const result = await schema["~standard"].validate(value);
  if (result.issues === undefined) return { value: result.value };
  const told = result.issues
    .slice(0, maxIssues)
    .map((issue) => `${pathOf(issue)}: ${issue.message}`);
  const left = result.issues.length - told.length;
  return { fault: [...told, ...(left > 0 ? [`and ${left} more`] : [])].join("; ") };
}

function pathOf({ path = [] }: StandardSchemaV1.Issue): string {
  const steps = path.map((step) => {
    const key = typeof step === "object" ? step.key : step;
    if (typeof key === "number") return `[${key}]`;
    const name = String(key);
    return /^[A-Za-z_$][\w$]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
  });
  return `$${steps.join("")}`;
}
