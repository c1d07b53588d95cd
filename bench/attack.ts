// A hostile client in a process of its own: attacks again and again until it is told to stop.
import { once } from "node:events";
import type { AttackOrder, AttackReport } from "./attack-process.ts";
import { Attacker } from "./attacker.ts";
import { attacks } from "./attacks.ts";

const [order] = (await once(process, "message")) as [AttackOrder];
const attacker = new Attacker(order);
const startedAt = performance.now();
const over = attacks[order.name](attacker);
await Promise.race([over, attacker.underWay]);
process.send?.({});
await Promise.race([over, once(process, "message")]);
const { connections, sentBytes } = attacker;
const seconds = (performance.now() - startedAt) / 1_000;
attacker[Symbol.dispose]();
await over;
process.send?.({ seconds, connections, sentBytes } satisfies AttackReport);
await once(process, "disconnect");
