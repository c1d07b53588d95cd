import { Codemode, unwrap } from "../src/index.ts";
import type { Apart } from "./child.ts";
import { pause, quantile, timeMs } from "./stats.ts";
import { atMost, formatMs, formatRatio, type Row } from "./table.ts";

/** Keys of two tenants, for those who would disturb each other. */
export const keys = { loud: "key-of-the-loud-tenant", quiet: "key-of-the-quiet-tenant" } as const;

/** The setting for these keys. */
export const tenantKeys = Object.entries(keys).map(([tenant, key]) => ({ tenant, key }));

/** What the neighbour runs. */
export interface Small {
  readonly code: string;
  readonly language: string;
}

const smallPython: Small = { code: "result = 2 + 2", language: "python" };

/** Time between two of its runs, milliseconds. */
const restMs = 30;

/** A tenant that makes one small run after the other, with a rest between them. */
export class Neighbour implements AsyncDisposable {
  readonly #client: Codemode;

  constructor(url: string) {
    this.#client = Codemode.connect({ url, apiKey: keys.quiet, timeoutMs: 60_000 });
  }

  /** What its runs take, milliseconds each, for so long. */
  async run(forMs: number, { code, language }: Small = smallPython): Promise<number[]> {
    const samples: number[] = [];
    const endsAt = performance.now() + forMs;
    while (performance.now() < endsAt) {
      samples.push(
        await timeMs(async () => unwrap(await this.#client.execute(code, { language }))),
      );
      await pause(restMs);
    }
    return samples;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }
}

/** What a neighbour's runs took, milliseconds each: in quiet, before and after, and beside something. */
export interface Beside {
  readonly quiet: number[];
  readonly loaded: number[];
}

/** Measures a neighbour's runs beside something for so long, and as long without it. */
export async function measureBeside<T>(
  url: string,
  forMs: number,
  start: () => Promise<Apart<T>>,
  small: Small = smallPython,
): Promise<Beside & { readonly report: T }> {
  await using neighbour = new Neighbour(url);
  await neighbour.run(1_500, small); // warms both processes up
  const before = await neighbour.run(forMs / 2, small);
  await using load = await start();
  const loaded = await neighbour.run(forMs, small);
  const report = await load.stop();
  const after = await neighbour.run(forMs / 2, small);
  return { quiet: [...before, ...after], loaded, report };
}

/** What a neighbour's runs take beside something, as a row: how many times as long at p95 as in quiet. */
export function besideRow(figure: string, { quiet, loaded }: Beside, note: string): Row {
  const p95 = { quiet: quantile(quiet, 0.95), loaded: quantile(loaded, 0.95) };
  const ratio = p95.loaded / p95.quiet;
  return {
    figure,
    median: formatMs(quantile(loaded, 0.5)),
    p99: formatMs(quantile(loaded, 0.99)),
    beside: `p95 ${formatMs(p95.loaded)}, ${formatRatio(ratio)} of ${formatMs(p95.quiet)} in quiet (median ${formatMs(quantile(quiet, 0.5))}); ${note}`,
    bar: atMost(ratio, 2, "x at p95"),
  };
}
