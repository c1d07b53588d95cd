import type { Violation } from "./check.ts";
import { labelOf } from "./check-log.ts";
import type { Effect, Log, Story } from "./story.ts";

/** What is wrong with the effects of tools, and with how often the program ran. */
export function checkEffects(story: Story): Violation[] {
  return [
    ...checkRuns(story),
    ...story.effects.flatMap((effect) => checkEffect(story, effect)),
    ...checkCounts(story),
  ];
}

function checkRuns(story: Story): Violation[] {
  // One that was cancelled before it started has an answer, and leaves its id to the next.
  const waited = new Set(
    story.executions.flatMap((one) => (one.startTime === undefined ? [one.executionId] : [])),
  );
  const answered = story.answers.map(({ executionId }) => executionId);
  const started = new Set([
    ...story.begins,
    ...answered.filter((executionId) => !waited.has(executionId)),
    ...story.executions.filter((one) => one.startTime !== undefined).map((one) => one.executionId),
    ...story.views.flatMap(({ events }) =>
      events.flatMap((event) => (event.type === "started" ? [event.executionId] : [])),
    ),
  ]);
  const found: Violation[] = [];
  if (started.size > 1) found.push({ name: "double run", detail: [...started].join(", ") });
  if (story.begins.length > 1) {
    found.push({ name: "double run", detail: `it began ${story.begins.length} times` });
  }
  return found;
}

function checkEffect({ act, tenant, logs }: Story, effect: Effect): Violation[] {
  const found: Violation[] = [];
  const { token, label, context, executionId, callId, tool } = effect;
  const what = `${tool} ${label} of call ${callId} at ${effect.host}`;
  if (token !== act.token) found.push({ name: "foreign effect", detail: `${what}: ${token}` });
  if (context !== undefined && (context.token !== act.token || context.tenant !== tenant)) {
    const detail = `${what}: context of ${context.token}, ${context.tenant}`;
    found.push({ name: "foreign context", detail });
  }
  const log = logOf(logs, executionId);
  if (log !== undefined && callOf(log, effect) === undefined) {
    found.push({ name: "effect without a call", detail: what });
  }
  return found;
}

function checkCounts({ effects, logs }: Story): Violation[] {
  const found: Violation[] = [];
  const hostsOf = new Map<string, string[]>();
  for (const { executionId, callId, host } of effects) {
    const key = `${executionId} ${callId}`;
    hostsOf.set(key, [...(hostsOf.get(key) ?? []), host]);
  }
  for (const [key, hosts] of hostsOf) {
    const [executionId = "", callId = ""] = key.split(" ");
    const distinct = new Set(hosts);
    if (distinct.size < hosts.length) {
      found.push({
        name: "double effect",
        detail: `call ${callId}, twice at one of ${hosts.join(", ")}`,
      });
    }
    const log = logOf(logs, executionId);
    if (log === undefined) continue;
    const calledAt = log.events.findIndex((e) => e.type === "tool_call" && e.callId === callId);
    const later = log.events.slice(calledAt + 1);
    const changes = later.filter(({ type }) => type === "tool_host_changed").length;
    if (distinct.size > 1 + changes) {
      const detail = `call ${callId} at ${hosts.join(", ")}, with ${changes} changes of the host`;
      found.push({ name: "double effect", detail });
    }
  }
  return found;
}

function logOf(logs: readonly Log[], executionId: string): Log | undefined {
  return logs.find((log) => log.executionId === executionId && log.status === undefined);
}

function callOf({ events }: Log, { callId, tool, label, token }: Effect) {
  return events.find((event) => {
    if (event.type !== "tool_call" || event.callId !== callId || event.tool !== tool) return false;
    const args = labelOf(event.argumentsJson);
    return args.label === label && args.token === token;
  });
}
