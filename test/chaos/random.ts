import { randomOf } from "../support/random.ts";

/** A source of choices: everything that a run chooses comes out of one, and of nothing else. */
export interface Random {
  /** An integer, both ends included. */
  int(least: number, most: number): number;
  /** True so often, 0 to 1. */
  chance(share: number): boolean;
  /** One of a list that is not empty. */
  pick<T>(choices: readonly T[]): T;
  /** One of the names, each as often as its weight says. */
  weighted<K extends string>(weights: Readonly<Partial<Record<K, number>>>): K;
  /** A source of its own for a name; drawing from it changes nothing here. */
  fork(name: string): Random;
}

/** Choices that are the same for the same seed. */
export function createRandom(seed: number): Random {
  const next = randomOf(seed);
  const random: Random = {
    int: (least, most) => least + Math.floor(next() * (most - least + 1)),
    chance: (share) => next() < share,
    pick(choices) {
      const chosen = choices[Math.floor(next() * choices.length)];
      if (chosen === undefined) throw new Error("there is nothing to choose from");
      return chosen;
    },
    weighted<K extends string>(weights: Readonly<Partial<Record<K, number>>>) {
      const entries = Object.entries(weights) as [K, number][];
      let left = next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
      for (const [name, weight] of entries) {
        left -= weight;
        if (left < 0) return name;
      }
      const [last] = entries.at(-1) ?? [];
      if (last === undefined) throw new Error("there is nothing to choose from");
      return last;
    },
    fork: (name) => createRandom(hashOf(`${seed}/${name}`)),
  };
  return random;
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
