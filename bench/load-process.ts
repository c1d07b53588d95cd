import { fileURLToPath } from "node:url";
import { type Apart, startApart } from "./child.ts";
import type { LoadName } from "./loads.ts";

/** What a client that makes load is told at its start. */
export interface LoadOrder {
  readonly name: LoadName;
  readonly url: string;
  readonly apiKey: string;
}

/** What came of a load from the moment that it was under way to the word to stop. */
export interface LoadReport {
  readonly seconds: number;
  /** Programs that came to an end, by how: "completed", or the reason of the failure. */
  readonly ends: Readonly<Record<string, number>>;
  /** Calls that were refused, milliseconds each; none of them is tried again. */
  readonly refusalMs: readonly number[];
  /** Refusals that did not say when to come back. */
  readonly withoutRetryInfo: number;
}

/** Starts a load; resolves when it is fully under way. */
export function startLoad(order: LoadOrder): Promise<Apart<LoadReport>> {
  return startApart(fileURLToPath(new URL("./load.ts", import.meta.url)), order);
}
