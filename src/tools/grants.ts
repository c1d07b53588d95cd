import { CodemodeError } from "../shared/errors.ts";
import type { ToolDeclaration } from "../shared/model.ts";
import type { ToolService } from "./tool-service.ts";

/** A tool that an execution may call, and who answers. */
export interface Grant {
  readonly tool: ToolDeclaration;
  /** The service that answers; undefined where the caller does. */
  readonly service: ToolService | undefined;
}

/** What `openGrants` grants. */
export interface GrantRequest {
  /** Tools that the caller answers. */
  readonly inline: readonly ToolDeclaration[];
  readonly services: readonly ToolService[];
}

/**
 * The grants of an execution. Rejects with a CodemodeError: `invalid_request` when two of the roads
 * have a tool of the same name, `unavailable` when a service does not tell its tools.
 */
export async function openGrants(request: GrantRequest, signal: AbortSignal): Promise<Grants> {
  const grants = new Grants(request);
  await grants.load(signal);
  return grants;
}

/** The tools that one execution may call, by their exact names. What is not in here is refused. */
export class Grants {
  readonly #services: readonly ToolService[];
  readonly #grants = new Map<string, Grant>();

  constructor({ inline, services }: GrantRequest) {
    this.#services = services;
    for (const tool of inline) this.#add({ tool, service: undefined });
  }

  /** In the order in which they were granted. */
  get all(): readonly Grant[] {
    return [...this.#grants.values()];
  }

  get(name: string): Grant | undefined {
    return this.#grants.get(name);
  }

  /** Asks every service for its tools. Rejects as `openGrants` says. */
  async load(signal: AbortSignal): Promise<void> {
    if (this.#services.length === 0) return;
    const lists = await Promise.all(this.#services.map((service) => service.tools(signal)));
    for (const [index, service] of this.#services.entries()) {
      for (const tool of lists[index] ?? []) this.#add({ tool, service });
    }
  }

  /**
   * The grant of a name that is not known: a service may have a new tool since its list was read.
   * A service that cannot be asked has none. Rejects only with the signal's reason.
   */
  async find(name: string, signal: AbortSignal): Promise<Grant | undefined> {
    await Promise.all(
      this.#services.map(async (service) => {
        const tools = await service.tools(signal, { isFresh: true }).catch(() => []);
        const tool = tools.find((each) => each.name === name);
        if (tool !== undefined && !this.#grants.has(name)) this.#add({ tool, service });
      }),
    );
    signal.throwIfAborted();
    return this.#grants.get(name);
  }

  #add(grant: Grant): void {
    const { name } = grant.tool;
    const known = this.#grants.get(name);
    if (known !== undefined) throw twice(name, known, grant);
    this.#grants.set(name, grant);
  }
}

function twice(name: string, ...grants: readonly [Grant, Grant]): CodemodeError {
  const [first, second] = grants.map(({ service }) =>
    service === undefined ? "the request" : `the tool service ${JSON.stringify(service.name)}`,
  );
  const tool = JSON.stringify(name);
  const where = first === second ? `twice in ${first}` : `in ${first} and in ${second}`;
  return new CodemodeError("invalid_request", `the tool ${tool} is ${where}`, {
    violations: [{ field: "request.tools", description: `${tool} is ${where}` }],
  });
}
