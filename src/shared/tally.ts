/** Sums by name; a name whose sum is 0 takes up nothing. */
export class Tally {
  readonly #sums = new Map<string, number>();
  #total = 0;

  /** The sum of all names. */
  get total(): number {
    return this.#total;
  }

  /** The sum of one name. */
  of(name: string): number {
    return this.#sums.get(name) ?? 0;
  }

  add(name: string, amount: number): void {
    const sum = this.of(name) + amount;
    this.#total += amount;
    if (sum === 0) this.#sums.delete(name);
    else this.#sums.set(name, sum);
  }
}
