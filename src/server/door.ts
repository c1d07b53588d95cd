import { isIPv6, type Socket } from "node:net";
import { Budgets } from "./budgets.ts";
import type { Connections } from "./connections.ts";
import { Entrance } from "./entrance.ts";

// What a connection costs that brings all that it may and then is closed for it, with its part of the
// collector's work, measured.
const connectionMs = 4;
// Of one network at once: 100 connections.
const strangersMs = 400;

/** Lets a new connection in, now or later: `serve` is called once, unless its peer leaves before. */
export type Door = (socket: Socket, serve: () => void) => void;

/**
 * The door for new connections. Each is an expense until a call on it has shown a key, and a network for
 * which too much was spent waits: whoever comes again each time it is turned away takes from nobody else.
 */
export function createDoor(connections: Connections): Door {
  const budgets = new Budgets({ burstMs: strangersMs });
  const entrance = new Entrance({ mayBegin: (network) => budgets.restMs(network) === 0 });
  return (socket, serve) => {
    const network = networkOf(socket.remoteAddress ?? "");
    connections.add(socket, () => budgets.giveBack(network, connectionMs));
    const onError = () => socket.destroy();
    socket.once("error", onError);
    entrance.enter({
      group: network,
      pace: undefined,
      isOver: () => socket.destroyed,
      begin() {
        socket.off("error", onError);
        budgets.spend(network, connectionMs);
        serve();
      },
    });
  };
}

/** An address of IPv4, or the 64 bits of one of IPv6 that one subscriber has all to himself (RFC 6177). */
export function networkOf(address: string): string {
  if (!isIPv6(address) || address.includes(".")) return address;
  const [head = ""] = address.split("::");
  return `${head.split(":").slice(0, 4).join(":")}::`;
}
