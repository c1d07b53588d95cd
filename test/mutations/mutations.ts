import { admission } from "./admission.ts";
import { attach } from "./attach.ts";
import { clocks } from "./clocks.ts";
import { idempotency } from "./idempotency.ts";
import type { Mutation } from "./mutation.ts";
import { peers } from "./peers.ts";
import { retries } from "./retries.ts";

/** Faults against all promises of docs/reliability.md. `npm run mutations` tries them. */
export const mutations: readonly Mutation[] = [
  ...attach,
  ...idempotency,
  ...retries,
  ...clocks,
  ...admission,
  ...peers,
];
