// A calculator that takes its numbers first, as dc and Forth do: `2 3 +` is 5, `x!` keeps the last value in
// x, `x` brings it back, `print` prints it, "text" prints itself, `while CONDITION do ... end` repeats, and
// `1 from: 2 to: rate()` calls the tool "rate" with two arguments. The last value is the program's.

/** A value of the calculator. */
export type Value = number | boolean | null;

/** What a program wants next. It goes on with the answer to a call. */
export type Wish =
  | { readonly type: "step" }
  | { readonly type: "print"; readonly text: string }
  | {
      readonly type: "call";
      readonly tool: string;
      readonly args: Readonly<Record<string, Value>>;
    };

/** A fault of a program, and the line of its source; 0 until it is known. */
export class CalculatorError extends Error {
  readonly type: string;
  line: number;

  constructor(type: string, message: string, line = 0) {
    super(message);
    this.type = type;
    this.line = line;
  }
}

interface Word {
  readonly text: string;
  readonly line: number;
  /** Where `do` goes on when its loop is over, and `end` to begin again. */
  target: number;
}

const maxValues = 10_000;
const separator = /#.*|"(?:[^"\\\n]|\\.)*"|\n|\S+/g;
const known = /^("|-?\d+(\.\d+)?(e-?\d+)?$|[-+*/%<=>]$|[a-z_]\w*[!:]?$|[a-z_][\w-]*\(\)$)/i;
const operators = new Map<string, (a: number, b: number) => Value>([
  ["+", (a, b) => a + b],
  ["-", (a, b) => a - b],
  ["*", (a, b) => a * b],
  ["/", (a, b) => (b === 0 ? fail("DivisionByZero", "division by zero") : a / b)],
  ["%", (a, b) => a % b],
  ["<", (a, b) => a < b],
  ["=", (a, b) => a === b],
  [">", (a, b) => a > b],
]);

/** Runs a program, a step at a time: at each it can be left for good. Throws a CalculatorError. */
export function* interpret(source: string): Generator<Wish, Value, Value> {
  const program = parse(source);
  const variables = new Map<string, Value>();
  const stack: Value[] = [];
  let args: Record<string, Value> = {};
  for (let at = 0, word = program[0]; word !== undefined; word = program[++at]) {
    const { text, target } = word;
    const name = text.replace(/(!|:|\(\))$/, "");
    try {
      const operator = operators.get(text);
      if (operator !== undefined) stack.push(finite(operator(...numbers(stack.splice(-2)))));
      else if (text === "do") at = stack.pop() ? at : target;
      else if (text === "end") at = target;
      else if (text === "print") yield { type: "print", text: String(stack.pop()) };
      else if (text.startsWith('"')) yield { type: "print", text: readText(text) };
      else if (text.endsWith("!")) variables.set(name, stack.pop() ?? null);
      else if (text.endsWith(":")) args[name] = stack.pop() ?? null;
      else if (text.endsWith(")")) {
        stack.push(yield { type: "call", tool: name, args });
        args = {};
      } else if (text !== "while") {
        stack.push(/^[a-z_]/i.test(text) ? (variables.get(name) ?? 0) : Number(text));
      }
      if (stack.length > maxValues) fail("StackOverflow", `more than ${maxValues} values`);
      yield { type: "step" };
    } catch (error) {
      if (error instanceof CalculatorError) error.line ||= word.line;
      throw error;
    }
  }
  return stack.pop() ?? null;
}

function parse(source: string): readonly Word[] {
  const program: Word[] = [];
  const open: Word[] = [];
  let line = 1;
  for (const [text] of source.matchAll(separator)) {
    if (text === "\n") line += 1;
    if (text === "\n" || text.startsWith("#")) continue;
    const isKnown = known.test(text) && (!text.startsWith('"') || readText(text) !== "");
    if (!isKnown) fail("SyntaxError", `what is ${text}?`, line);
    const word = { text, line, target: program.length };
    if (text === "while") open.push(word);
    if (text === "do") open.push(word);
    if (text === "end") {
      const [start, condition] = open.splice(-2);
      if (condition?.text !== "do") fail("SyntaxError", "end without while ... do", line);
      word.target = start?.target ?? 0;
      condition.target = program.length;
    }
    program.push(word);
  }
  if (open.length > 0) fail("SyntaxError", "while ... do without end", line);
  return program;
}

function numbers(values: readonly Value[]): [number, number] {
  const [a, b] = values;
  if (typeof a === "number" && typeof b === "number") return [a, b];
  return fail("TypeError", "two numbers are needed");
}

function finite(value: Value): Value {
  if (typeof value === "number" && !Number.isFinite(value)) fail("Overflow", "too large a number");
  return value;
}

/** The text that a word in quotes stands for; empty where the word is none. */
function readText(word: string): string {
  try {
    return JSON.parse(word);
  } catch {
    return ""; // the quotes are not closed, or an escape is unknown
  }
}

function fail(type: string, message: string, line = 0): never {
  throw new CalculatorError(type, message, line);
}
