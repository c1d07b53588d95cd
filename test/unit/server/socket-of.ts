import { EventEmitter } from "node:events";
import type { Socket } from "node:net";

/** A socket as far as its connection is known by it. */
export function socketOf(remotePort: number, remoteAddress = "10.0.0.1") {
  const socket = Object.assign(new EventEmitter(), {
    remoteAddress,
    remotePort,
    localAddress: "10.0.0.2",
    destroyed: false,
    destroy() {
      socket.destroyed = true;
      socket.emit("close");
    },
  });
  return socket as typeof socket & Socket;
}
