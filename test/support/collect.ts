/** Everything that a stream gives, to its end. (`Array.fromAsync` is not in lib.es2024.) */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}
