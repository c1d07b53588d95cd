import { type Kind, type Program, paddingOf } from "./programs.ts";

/** Kinds that JavaScript has not: nothing that a program can call ends its guest. */
export const javascriptLacks = ["segfault", "exit"] as const satisfies readonly Kind[];

type JavascriptKind = Exclude<Kind, (typeof javascriptLacks)[number]>;

/** The source of a program in JavaScript; it prints and calls what the one in Python does. */
export function javascriptSource(program: Program): string {
  return sourceWith(javascriptHead, program);
}

/** The same program in TypeScript, whose types and enum have to be taken away. */
export function typescriptSource(program: Program): string {
  return sourceWith(typescriptHead, program);
}

function sourceWith(head: (program: Program) => string, program: Program): string {
  const { kind } = program;
  if (!isJavascriptKind(kind)) throw new Error(`JavaScript has no ${kind}`);
  if (kind === "syntax") return "const = ;";
  return [head(program).trim(), bodies[kind](program).trim()].join("\n");
}

function isJavascriptKind(kind: Kind): kind is JavascriptKind {
  return !javascriptLacks.some((lacking) => lacking === kind);
}

const javascriptHead = ({ kind, count }: Program) => `
const T = context.token, COUNT = ${count}, PAD = ${JSON.stringify(paddingOf(kind))};
let said = 0;
function say() {
  console.log(\`\${T} \${String(said).padStart(8, "0")}\${PAD}\`);
  said += 1;
}
const label = (index) => ({ token: T, label: \`\${T}/\${index}\` });
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
await tools.begin({ token: T });
say();`;

const typescriptHead = ({ kind, count }: Program) => `
interface Label { readonly token: string; readonly label: string }
enum Width { Number = 8 }
const T: string = context.token as string, COUNT: number = ${count};
const PAD: string = ${JSON.stringify(paddingOf(kind))};
let said: number = 0;
function say(): void {
  console.log(\`\${T} \${String(said).padStart(Width.Number, "0")}\${PAD}\`);
  said += 1;
}
const label = (index: number): Label => ({ token: T, label: \`\${T}/\${index}\` });
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
await tools.begin({ token: T });
say();`;

const orGivesUp = (call: string) => `
try {
  return [T, await ${call}];
} catch (error) {
  if (!error.message.includes("did not answer within")) throw error;
  return [T, "gave up"];
}`;

// A program reads no clock of its CPU time: while it computes and nobody is in its way, it is the wall's.
const compute = (ms: number) => `
const until = performance.now() + ${ms};
while (performance.now() < until) {}`;

const bodies: Readonly<Record<JavascriptKind, (program: Program) => string>> = {
  value: () => `return { token: T, tenant: context.tenant, big: 2n ** 60n + BigInt(COUNT) };`,
  output: ({ ms }) => `
for (let i = 0; i < COUNT - 1; i += 1) {
  say();
  if (i % 7 === 3) console.error(\`\${T} err \${i}\`);
  if (i % 10 === 0) await pause(${ms} / (COUNT / 10));
}
return [T, COUNT];`,
  spill: () => `
for (let i = 0; i < COUNT - 1; i += 1) say();
return [T, COUNT];`,
  sequential: () => `
const echoes = [];
for (let i = 0; i < COUNT; i += 1) {
  echoes.push(await tools.effect(label(i)));
  say();
}
return [T, echoes];`,
  parallel: () => `
const calls = Array.from({ length: COUNT }, (_, i) => tools.effect(label(i)));
return [T, await Promise.all(calls)];`,
  failing: () => `
const messages = [];
for (let i = 0; i < COUNT; i += 1) {
  try {
    messages.push(await tools.fail(label(i)));
  } catch (error) {
    const [refusal] = /refused \\S+/.exec(error.message) ?? [];
    if (refusal === undefined) throw error;
    messages.push(refusal);
  }
  say();
}
return [T, messages];`,
  slow: ({ ms }) => `
const echoes = [];
for (let i = 0; i < COUNT; i += 1) {
  echoes.push(await tools.slow({ ms: ${ms}, ...label(i) }));
  say();
}
return [T, echoes];`,
  unanswered: () => orGivesUp("tools.never(label(0))"),
  sleep: () => "while (true) await pause(50);",
  spin: () => "while (true) {}",
  stuck: () => `/^(a+)+$/.test("a".repeat(64) + "b");`,
  hog: ({ ms }) => `${compute(ms)}
return [T, "hog"];`,
  bomb: () => `
const kept = [];
while (true) kept.push(new Uint8Array(2 ** 20).fill(1));`,
  flood: () => "while (true) say();",
  exception: () => "throw new RangeError(T);",
  syntax: () => "",
  near_wall: ({ ms }) => `
await pause(${ms});
return [T, "in time"];`,
  near_active: ({ ms }) => `${compute(ms)}
return [T, "in time"];`,
  near_wait: ({ ms }) => orGivesUp(`tools.slow({ ms: ${ms}, ...label(0) })`),
};
