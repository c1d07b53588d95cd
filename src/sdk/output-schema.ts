import type { StandardSchemaV1 } from "@standard-schema/spec";

// Enough to mend a program by; a wrong list of thousands has thousands of issues.
const maxIssues = 5;
const maxBranches = 8;

/** A value that fits its schema, as the schema gives it back, or where it does not fit. */
export type CheckedOutput = { readonly value: unknown } | { readonly fault: string };

/** Checks a value against any Standard Schema, synchronous or not; a fault names the paths, from `$`. */
export async function checkOutput(
  schema: StandardSchemaV1,
  value: unknown,
): Promise<CheckedOutput> {
  const result = await schema["~standard"].validate(value);
  if (result.issues === undefined) return { value: result.value };
  return { fault: describeIssues(result.issues) };
}

/** Issues as one text: the first few, each with its path and what was expected there. */
export function describeIssues(issues: readonly StandardSchemaV1.Issue[]): string {
  const told = issues
    .slice(0, maxIssues)
    .map((issue) => `${pathOf(issue)}: ${issue.message}${describeBranches(issue)}`);
  const left = issues.length - told.length;
  return [...told, ...(left > 0 ? [`and ${left} more`] : [])].join("; ");
}

/** What each member of a union expected: zod's own message for the whole says only "Invalid input". */
function describeBranches(issue: StandardSchemaV1.Issue): string {
  const branches: unknown = "errors" in issue ? issue.errors : undefined;
  if (!Array.isArray(branches)) return "";
  const texts = branches
    .slice(0, maxBranches)
    .flatMap((branch: unknown) => (Array.isArray(branch) ? branch.slice(0, 1) : []))
    .map((first: StandardSchemaV1.Issue) => {
      const path = pathOf(first);
      return `${path === "$" ? "" : `${path.slice(1)}: `}${first.message}`;
    });
  return texts.length === 0 ? "" : ` (${[...new Set(texts)].join(", or ")})`;
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
