import type { ChildProcess } from "node:child_process";

/**
 * A child process that was started with pipes. Throws where no descriptors were left for them: Node
 * makes none then, and tells why in an event that would end the service if nobody heard it.
 */
export function withPipes<T extends ChildProcess>(child: T): T {
  const pipes: ChildProcess["stdio"] | undefined = child.stdio;
  if (pipes !== undefined) return child;
  child.once("error", () => {});
  throw new Error("no descriptors are left for another process");
}
