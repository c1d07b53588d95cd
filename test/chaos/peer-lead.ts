import { setTimeout as sleep } from "node:timers/promises";
import type { Leave } from "./acts.ts";
import { resultOf } from "./check-outcome.ts";
import type { Peer, Reading } from "./peer.ts";
import { requestOf, wasCut } from "./peer.ts";
import { callsTools } from "./programs.ts";
import { fail, read } from "./reading.ts";
import { closeView, note, openView, type Story, type View } from "./story.ts";
import { createHandler, type Handler } from "./tools.ts";

/** Options of a reader that starts a program. */
export interface LeadOptions {
  readonly reader: string;
  readonly peer: Peer;
  /** It answers the program's tools. */
  readonly isHost: boolean;
  /** Whether it leaves as the act says; otherwise it reads to the end. */
  readonly leaves: readonly Leave[];
  /** The execution of a request whose stream broke before it said so; undefined where there is none. */
  readonly find: () => Promise<string | undefined>;
}

/** Starts a story's program by a client without retries, and reads it over all its comings and goings. */
export async function leadByPeer(story: Story, options: LeadOptions): Promise<void> {
  const { act, tenant } = story;
  const { reader, peer, isHost, find } = options;
  const request = requestOf(act, tenant);
  const view = openView(story, reader, { via: "start", afterSequence: 0, executionId: undefined });
  const timeoutMs = reader === "lead" ? act.deadlineMs : undefined;
  view.hasDeadline = timeoutMs !== undefined;
  if (view.hasDeadline) story.deeds.add("deadline");
  if (act.road === "execute") return await execute(story, view, { ...options, timeoutMs });
  const isInteractive = act.road === "interactive" && isHost;
  const handler = callsTools(act.program) && isHost ? createHandler(story, reader) : undefined;
  const reading = peer.start(request, { isInteractive, timeoutMs });
  await follow(story, { ...options, view, reading, handler, find });
}

interface FollowOptions extends LeadOptions {
  readonly view: View;
  readonly reading: Reading;
  readonly handler: Handler | undefined;
}

/** Reads, leaves and comes back, as often as the plan says. */
async function follow(story: Story, options: FollowOptions): Promise<void> {
  const { peer, leaves, reader, find } = options;
  const { slowMs } = story.act;
  let { view, reading, handler } = options;
  for (let index = 0; ; index++) {
    const leave = leaves[index];
    const hasLeft = await read(reading, { story, view, peer, slowMs, leave, handler });
    if (!hasLeft || leave === undefined || leave.back === "never") return;
    await sleep(leave.awayMs);
    const executionId = view.executionId ?? (await find());
    if (executionId === undefined) return note(story, `${reader}: nothing to come back to`);
    const afterSequence = leave.isFromStart
      ? 0
      : (view.events.at(-1)?.sequence ?? view.afterSequence);
    const name = `${reader} back ${index + 1}`;
    const answerTools = leave.back === "answer" && callsTools(story.act.program);
    const back = await attach(story, peer, { name, executionId, afterSequence, answerTools });
    if (back === undefined) return;
    ({ view, reading } = back);
    handler = answerTools ? createHandler(story, name) : undefined;
  }
}

/** A place to attach to. */
export interface AttachAt {
  readonly name: string;
  readonly executionId: string;
  readonly afterSequence: number;
  readonly answerTools: boolean;
}

/** Attaches a further reader; undefined where it is refused, which its view says. */
export async function attach(
  story: Story,
  peer: Peer,
  { name, executionId, afterSequence, answerTools }: AttachAt,
): Promise<{ readonly view: View; readonly reading: Reading } | undefined> {
  const view = openView(story, name, { via: "attach", afterSequence, executionId });
  try {
    const reading = await peer.attach(executionId, { afterSequence, answerTools });
    view.lastSequence = reading.attached?.lastSequence;
    return { view, reading };
  } catch (error) {
    view.isDisturbed ||= wasCut(peer, view.startedAt);
    fail(view, error);
    return undefined;
  }
}

async function execute(
  story: Story,
  view: View,
  { reader, peer, timeoutMs }: LeadOptions & { readonly timeoutMs: number | undefined },
): Promise<void> {
  try {
    const { execution, ...text } = await peer.execute(
      requestOf(story.act, story.tenant),
      timeoutMs,
    );
    const { executionId, outcome } = execution;
    if (outcome === undefined) throw new Error("an answer without an outcome");
    view.executionId = executionId;
    story.answers.push({ reader, executionId, result: resultOf(outcome), ...text });
    closeView(view, { how: "left" });
  } catch (error) {
    view.isDisturbed ||= wasCut(peer, view.startedAt);
    fail(view, error);
  }
}
