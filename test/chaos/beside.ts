import { setTimeout as sleep } from "node:timers/promises";
import type { Act, Beside, Role } from "./acts.ts";
import { listed } from "./audit.ts";
import { attach, leadByPeer } from "./peer-lead.ts";
import { tenants } from "./plan.ts";
import { read, toError } from "./reading.ts";
import { leadBySdk } from "./sdk-lead.ts";
import { note, rivalSuffix, type Story } from "./story.ts";
import { createHandler } from "./tools.ts";
import type { World } from "./world.ts";

/** Options of what happens beside a reader. */
export interface BesideOptions {
  readonly world: World;
  readonly role: Role;
  /** Tells this one from the others of its act. */
  readonly name: string;
  /** Performs an act of its own. */
  readonly perform: (act: Act, tenant: string) => Promise<void>;
}

/** Does what the plan has beside the reader that starts a program. */
export async function happenBeside(
  story: Story,
  beside: Beside,
  options: BesideOptions,
): Promise<void> {
  await sleep(beside.atMs);
  const { kind } = beside;
  const { act, tenant } = story;
  note(story, `${options.name} begins`);
  switch (kind) {
    case "twin":
      return act.requestId === "" ? undefined : await joinAsTwin(story, options);
    case "impostor":
      return await performRival(act, tenant, rivalSuffix, options);
    case "namesake":
      return await performRival(act, otherThan(tenant), "-n", options);
    case "watch":
    case "takeover":
      return await follow(story, beside, options);
    case "cancel":
      return await cancel(story, options);
    case "snoop":
      return await snoop(story, options);
  }
}

function otherThan(tenant: string): string {
  return tenants.find((one) => one !== tenant) ?? "";
}

async function joinAsTwin(story: Story, { world, role, name }: BesideOptions): Promise<void> {
  if (role === "sdk") {
    await using client = await world.sdk(story.tenant);
    return await leadBySdk(story, client, { reader: name, leaves: [] });
  }
  await using peer = await world[role](story.tenant);
  const find = async () => undefined;
  await leadByPeer(story, { reader: name, peer, isHost: false, leaves: [], find });
}

/** An act of its own that has the same request id. */
async function performRival(
  { token, requestId, program }: Act,
  tenant: string,
  suffix: string,
  { perform, name }: BesideOptions,
): Promise<void> {
  if (requestId === "") return;
  const rival = { ...program, kind: "value" } as const;
  // Two of a kind beside one act are the same request, each of its own id and token.
  const own = `${token}.${name.replaceAll(" ", "")}${suffix}`;
  const plain = { pauseMs: 0, slowMs: 0, leaves: [], beside: [], deadlineMs: undefined } as const;
  await perform(
    { ...plain, token: own, requestId, program: rival, road: "execute", keepMs: 0 },
    tenant,
  );
}

async function idOf(story: Story, world: World): Promise<string | undefined> {
  const known = story.views.find(({ executionId }) => executionId !== undefined)?.executionId;
  return known ?? (await listed(world.auditor(story.tenant), story)).at(0)?.executionId;
}

async function follow(
  story: Story,
  { kind, leavesAfter, slowMs }: Beside,
  { world, name }: BesideOptions,
): Promise<void> {
  const executionId = await idOf(story, world);
  if (executionId === undefined) return note(story, `${name}: nothing to attach to`);
  const answerTools = kind === "takeover";
  const connect = answerTools || slowMs === 0 ? world.generated : world.raw;
  await using peer = await connect(story.tenant);
  let after = 0;
  for (const part of leavesAfter === undefined ? [1] : [1, 2]) {
    const reader = `${name} part ${part}`;
    const place = { name: reader, executionId, afterSequence: after, answerTools };
    const attached = await attach(story, peer, place);
    if (attached === undefined) return;
    const { view, reading } = attached;
    // It remembers nothing of what it answered before.
    const handler = answerTools ? createHandler(story, reader) : undefined;
    const at = { events: leavesAfter ?? 0 };
    const going = { at, how: "drop", awayMs: 0, back: "watch", isFromStart: false } as const;
    const leave = part === 1 && leavesAfter !== undefined ? going : undefined;
    if (leave !== undefined && answerTools) story.deeds.add("left");
    await read(reading, { story, view, peer, slowMs, leave, handler });
    after = view.events.at(-1)?.sequence ?? after;
  }
}

async function cancel(story: Story, { world, name }: BesideOptions): Promise<void> {
  const executionId = await idOf(story, world);
  if (executionId === undefined) return note(story, `${name}: nothing to cancel`);
  story.deeds.add("cancelled");
  const { executor } = world.auditor(story.tenant);
  const status = await statusOf(executor.cancelExecution({ executionId }, { timeoutMs: 30_000 }));
  note(story, `${name}: ${status}`);
  // It may end before it starts, be lost, or be gone already.
  const allowed = ["ok", "not_found"];
  story.probes.push({ what: name, status, allowed });
}

/** Another tenant finds nothing, whatever it tries. */
async function snoop(story: Story, { world, name }: BesideOptions): Promise<void> {
  const executionId = await idOf(story, world);
  if (executionId === undefined) return;
  const { executor } = world.auditor(otherThan(story.tenant));
  const options = { timeoutMs: 30_000 };
  const result = { callId: "1", result: { case: "resultJson", value: "null" } } as const;
  const tries = {
    get: () => executor.getExecution({ key: { case: "executionId", value: executionId } }, options),
    attach: () =>
      executor
        .attachExecution({ executionId, answerTools: true }, options)
        [Symbol.asyncIterator]()
        .next(),
    cancel: () => executor.cancelExecution({ executionId }, options),
    submit: () => executor.submitToolResult({ executionId, result }, options),
  };
  for (const [what, call] of Object.entries(tries)) {
    const status = await statusOf(call());
    story.probes.push({ what: `${name} ${what}`, status, allowed: ["not_found"] });
  }
  const { executions } = await executor.listExecutions({ correlationId: story.act.token }, options);
  const status = executions.some((one) => one.executionId === executionId) ? "shown" : "hidden";
  story.probes.push({ what: `${name} list`, status, allowed: ["hidden"] });
}

async function statusOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "ok";
  } catch (error) {
    return toError(error).kind;
  }
}
