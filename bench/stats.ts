/** What a list of samples comes to. */
export interface Summary {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** The value below which a share of the samples lies, by the nearest rank; NaN for none. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const rank = Math.max(1, Math.ceil(share * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}

/** Median, p99 and the largest of the samples. */
export function summarize(samples: readonly number[]): Summary {
  return {
    count: samples.length,
    p50: quantile(samples, 0.5),
    p99: quantile(samples, 0.99),
    max: quantile(samples, 1),
  };
}

/** Milliseconds that a task takes. */
export async function timeMs(task: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await task();
  return performance.now() - startedAt;
}

/** Resolves after a time, milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Options of `inBlocks`. */
export interface BlockOptions {
  readonly rounds: number;
  /** Measured calls of each task in a round. */
  readonly perBlock: number;
  /** Calls before each block that are not measured. */
  readonly skip: number;
  /** Told around each block, for what else is to be measured. */
  readonly around?: (task: string, block: () => Promise<void>) => Promise<void>;
}

/**
 * Times tasks side by side: block by block in turn, so that whatever else the machine does hits all
 * of them, and one does not run in the wake of another. Gives milliseconds by task.
 */
export async function inBlocks<K extends string>(
  tasks: Readonly<Record<K, () => Promise<unknown>>>,
  { rounds, perBlock, skip, around = (_, block) => block() }: BlockOptions,
): Promise<Record<K, number[]>> {
  const names = Object.keys(tasks) as K[];
  const samples = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<
    K,
    number[]
  >;
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) {
      for (let call = 0; call < skip; call += 1) await tasks[name]();
      await around(name, async () => {
        for (let call = 0; call < perBlock; call += 1)
          samples[name].push(await timeMs(tasks[name]));
      });
      await pause(30);
    }
  }
  return samples;
}
