import type { Settings } from "./options.ts";
import { type Connection, createConnection } from "./transport.ts";

/** A client's connections, one for each of its urls. */
export class Connections {
  readonly #all: readonly [Connection, ...Connection[]];
  #current = 0;

  constructor({ urls, connection }: Pick<Settings, "urls" | "connection">) {
    const [first = "", ...rest] = urls;
    const open = (url: string) => createConnection({ url, ...connection });
    this.#all = [open(first), ...rest.map(open)];
  }

  /** Where calls go, until it fails them. */
  get current(): Connection {
    return this.#all[this.#current] ?? this.#all[0];
  }

  /** All of them, the current one first. */
  get all(): readonly Connection[] {
    return [...this.#all.slice(this.#current), ...this.#all.slice(0, this.#current)];
  }

  /** Calls go to the next one from now on, if they went to this one. */
  leave(connection: Connection): void {
    if (this.current === connection) this.#current = (this.#current + 1) % this.#all.length;
  }

  /** Breaks all connections and every call on them. Idempotent. */
  close(): void {
    for (const connection of this.#all) connection.close();
  }
}

/** The connections that one call tries, one after the other. */
export class Itinerary {
  readonly #connections: Connections;
  #tried = new Set<Connection>();

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  /** Where the call goes now. */
  next(): Connection {
    const all = this.#connections.all;
    const untried = all.find((connection) => !this.#tried.has(connection));
    if (untried === undefined) this.#tried = new Set();
    const connection = untried ?? this.#connections.current;
    this.#tried.add(connection);
    return connection;
  }

  /** Whether the next one is one that has not been tried since all were. */
  get hasOther(): boolean {
    return this.#connections.all.some((connection) => !this.#tried.has(connection));
  }
}
