import type { RunOptions } from "./programs.ts";

/** Tools that a Python program is granted: one with a signature, every form, and awkward names. */
export const pythonTools: NonNullable<RunOptions["tools"]> = [
  {
    name: "weather",
    signature: "weather(location: str, units: str = 'celsius') -> dict",
    parameters: ["location", "units"],
    required: ["location"],
  },
  { name: "echo" },
  { name: "my-tool" },
  { name: "blocking", callForm: "sync" },
  { name: "awaited", callForm: "async" },
  { name: "keys" },
];

/** Answers each call with the name of its tool and its arguments. */
export const answerByName: NonNullable<RunOptions["onCall"]> = (call, args) => ({
  tool: call.tool,
  ...args,
});
