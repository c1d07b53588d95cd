import { createHash } from "node:crypto";
import type { ToolDeclaration as ToolDeclarationMessage } from "../../gen/es/codemode/v1/tool_pb.ts";
import type { ToolDeclaration } from "../shared/model.ts";
import { runInLaterTurns, runInTurns, type Steps } from "../shared/turns.ts";
import { type Declared, digestTools, readTools } from "./declarations.ts";

// Of all sets together, in bytes of their texts: what an agent declares with each request is one set.
const maxBytes = 32 * 1024 * 1024;
const shortList = 64;

/**
 * Sets of tools that tenants have declared. A set that is declared again is the same objects, so that
 * whatever was made of them (their signatures, their words) is made once.
 */
export class DeclaredTools {
  readonly #sets = new Map<string, { readonly declared: Declared; readonly bytes: number }>();
  #bytes = 0;

  /** What a tenant declares, with what is wrong with it; a long list is read over several turns. */
  read(messages: readonly ToolDeclarationMessage[], tenant: string): Promise<Declared> {
    // To take a message apart that holds many takes most of a turn already.
    const run = messages.length > shortList ? runInLaterTurns : runInTurns;
    return run(this.#read(messages, tenant));
  }

  *#read(messages: readonly ToolDeclarationMessage[], tenant: string): Steps<Declared> {
    if (messages.length === 0) return yield* readTools(messages);
    const key = createHash("sha256")
      .update(JSON.stringify([tenant, yield* digestTools(messages)]))
      .digest("base64");
    const known = this.#sets.get(key);
    const declared = known?.declared ?? (yield* readTools(messages));
    this.#forget(key);
    if (declared.faults.length === 0) this.#keep(key, declared);
    return declared;
  }

  #keep(key: string, declared: Declared): void {
    const bytes = declared.tools.reduce((sum, tool) => sum + sizeOf(tool), 0);
    this.#sets.set(key, { declared, bytes });
    this.#bytes += bytes;
    // The one that was declared longest ago goes first.
    for (const oldest of this.#sets.keys()) {
      if (this.#bytes <= maxBytes) break;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    this.#bytes -= this.#sets.get(key)?.bytes ?? 0;
    this.#sets.delete(key);
  }
}

function sizeOf(tool: ToolDeclaration): number {
  const { name, description, inputSchemaJson, outputSchemaJson } = tool;
  // With room for what is made of it.
  return 512 + 2 * (name + description + inputSchemaJson + outputSchemaJson).length;
}
