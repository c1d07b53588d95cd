import { fileURLToPath } from "node:url";
import type { AttackName } from "./attacks.ts";
import { type Apart, startApart } from "./child.ts";

/** What an attacker is told at its start. */
export interface AttackOrder {
  readonly name: AttackName;
  readonly port: number;
  /** Of the tenant as which it calls. */
  readonly apiKey: string;
}

/** What an attacker did. */
export interface AttackReport {
  readonly seconds: number;
  readonly connections: number;
  readonly sentBytes: number;
}

/** Starts an attacker in a process of its own; resolves when its first words are said. */
export function startAttack(order: AttackOrder): Promise<Apart<AttackReport>> {
  return startApart(fileURLToPath(new URL("./attack.ts", import.meta.url)), order);
}
