import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * A unix socket to which the guests of one zygote connect. Those that have connected outlive it: what
 * one has said before its end is still to be read.
 */
export interface GuestListener extends AsyncDisposable {
  /** Path of the socket file, in a directory that only this user may enter. */
  readonly path: string;
  /** Removes the file; the socket goes on. For when the zygote holds it by a descriptor. */
  unlink(): Promise<void>;
}

/** Listens for guests. */
export async function listenForGuests(
  onConnection: (socket: Socket) => void,
): Promise<GuestListener> {
  const directory = await mkdtemp(join(tmpdir(), "codemode-"));
  await chmod(directory, 0o700);
  const path = join(directory, "guests");
  const server = createServer({ allowHalfOpen: true }, onConnection);
  const unlink = () => rm(directory, { recursive: true, force: true });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ path, backlog: 1024 }, resolve);
    });
  } catch (error) {
    await unlink();
    throw error;
  }
  return {
    path,
    unlink,
    async [Symbol.asyncDispose]() {
      server.close();
      await unlink();
    },
  };
}
