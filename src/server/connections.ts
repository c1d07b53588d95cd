import type { Socket } from "node:net";
import type { CodemodeError } from "../shared/errors.ts";
import { overloaded, tenantSubject } from "../shared/overloaded.ts";
import { Tally } from "../shared/tally.ts";

/** How many connections may be open. */
export interface ConnectionBounds {
  /** On which no call has shown a key that is known; one more closes the oldest of them. */
  readonly keyless: number;
  /** On which calls of one tenant came. */
  readonly perTenant: number;
}

/** Ends of a connection, by which every layer above the socket knows it too. */
type Ends = Pick<Socket, "remoteAddress" | "remotePort" | "localAddress">;

interface Connection {
  readonly socket: Socket;
  readonly tenants: Set<string>;
  readonly onClaimed: () => void;
}

/** The open connections, and whose they are. */
export class Connections {
  readonly #bounds: ConnectionBounds;
  readonly #open = new Map<string, Connection>();
  /** Oldest first. */
  readonly #keyless = new Map<string, Socket>();
  readonly #byTenant = new Tally();
  #isDraining = false;

  constructor(bounds: ConnectionBounds) {
    this.#bounds = bounds;
  }

  /** Connections that are open. */
  get size(): number {
    return this.#open.size;
  }

  /** No more programs are taken. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /**
   * From now on a client whose program is refused is told to leave, and a new connection of HTTP/2 is
   * served once its client makes a call: a balancing client, which waits for the server to speak
   * first, keeps to other servers; one that has business here is still heard.
   */
  drain(): void {
    this.#isDraining = true;
  }

  /** Takes note of a new connection, and of its end. Calls `onClaimed` once a call on it has shown a key. */
  add(socket: Socket, onClaimed: () => void = () => {}): void {
    const name = nameOf(socket);
    const connection: Connection = { socket, tenants: new Set(), onClaimed };
    this.#open.set(name, connection);
    this.#keyless.set(name, socket);
    socket.once("close", () => this.#forget(name, connection));
    if (this.#keyless.size <= this.#bounds.keyless) return;
    const [oldest] = this.#keyless.values();
    oldest?.destroy();
  }

  /** Says that a call of the tenant came on a connection. Throws `overloaded` where it has too many. */
  claim(ends: Ends, tenant: string): void {
    const name = nameOf(ends);
    const connection = this.#open.get(name);
    // It has closed meanwhile; its calls are about to end.
    if (connection === undefined || connection.tenants.has(tenant)) return;
    const { perTenant } = this.#bounds;
    if (this.#byTenant.of(tenant) >= perTenant) throw tooMany(tenant, perTenant);
    if (connection.tenants.size === 0) connection.onClaimed();
    connection.tenants.add(tenant);
    this.#byTenant.add(tenant, 1);
    this.#keyless.delete(name);
  }

  /** Who takes turns with others: the first tenant whose call came on a connection, or the connection itself. */
  groupOf(ends: Ends): string {
    return this.ownerOf(nameOf(ends));
  }

  /** The same of a group of an earlier moment: a connection may have been claimed since. */
  ownerOf(group: string): string {
    // No tenant's name has a space, so that none is a connection's.
    const [tenant] = this.#open.get(group)?.tenants ?? [];
    return tenant ?? group;
  }

  /** Ends every connection at once. */
  destroy(): void {
    for (const { socket } of this.#open.values()) socket.destroy();
  }

  /** Resolves when the last connection that is open now has closed. */
  async closed(): Promise<void> {
    await Promise.all(
      Array.from(
        this.#open.values(),
        ({ socket }) => new Promise<void>((resolve) => socket.once("close", () => resolve())),
      ),
    );
  }

  #forget(name: string, connection: Connection): void {
    // Its ends may belong to a newer connection already.
    if (this.#open.get(name) === connection) {
      this.#open.delete(name);
      this.#keyless.delete(name);
    }
    for (const tenant of connection.tenants) this.#byTenant.add(tenant, -1);
  }
}

function nameOf({ remoteAddress, remotePort, localAddress }: Ends): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}

function tooMany(tenant: string, most: number): CodemodeError {
  return overloaded({
    message: "the tenant has too many connections",
    subject: tenantSubject(tenant),
    quota: `${most} connections at once`,
  });
}
