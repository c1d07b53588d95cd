import { setTimeout as sleep } from "node:timers/promises";
import type { Act, ClientPlan, Fault, Plan, Role } from "./acts.ts";
import { audit } from "./audit.ts";
import { happenBeside } from "./beside.ts";
import type { Blow } from "./blows.ts";
import { checkStory, type Violation } from "./check.ts";
import {
  checkEnd,
  checkEngine,
  checkFootprint,
  type EngineFootprint,
  type Footprint,
  lookAtEngine,
  settle,
  settleEngine,
} from "./footprint.ts";
import { Ledger } from "./ledger.ts";
import { startParting } from "./parting.ts";
import type { Peer } from "./peer.ts";
import { leadByPeer } from "./peer-lead.ts";
import { makePlan } from "./plan.ts";
import { programLanguages } from "./programs.ts";
import { leadBySdk, type SdkClient } from "./sdk-lead.ts";
import { arrived } from "./stall.ts";
import type { Story } from "./story.ts";
import { strike } from "./strike.ts";
import { Tally } from "./tally.ts";
import { startWorld, type World } from "./world.ts";

/** A broken promise, and what is known around it. */
export interface Incident extends Violation {
  readonly story: Story | undefined;
  /** What the service logged of it, or last. */
  readonly lines: readonly string[];
}

/** Options of a run. */
export interface ChaosOptions {
  readonly seed: number;
  readonly seconds: number;
  /** Told of the plan before it is carried out. */
  readonly onPlan?: ((plan: Plan) => void) | undefined;
  /** Told of what the run does now. */
  readonly onPhase?: ((phase: string) => void) | undefined;
  /** Told of a broken promise as soon as it is found. */
  readonly onViolation: (incident: Incident) => void;
}

/** What a run came to. */
export interface Report {
  readonly counts: Readonly<Record<string, number>>;
  readonly violations: number;
  readonly before: Rest;
  readonly after: Rest;
}

/** What is held when nothing runs; the engine's before is that of a new one. */
export interface Rest extends Footprint {
  readonly engine: EngineFootprint;
}

// Longer than every limit, wait and retry of an act together.
const hungMs = 240_000;
// The longest that a fault waits past the end of a run for an engine that is being started again.
const restartMs = 30_000;
const warningsShown = 20;
// No run's own, so that no token is used twice.
const warmUpSeed = -1;

/** Runs the service under everything that a plan has, and checks all that was seen of it. */
export async function runChaos(options: ChaosOptions): Promise<Report> {
  const { seed, seconds, onPlan, onPhase = () => {} } = options;
  const endedForMs = seconds < 30 ? 3_000 : 8_000;
  const ledger = new Ledger();
  await using world = await startWorld({
    onBegin: (token, info) => ledger.begin(token, info),
    endedForMs,
  });
  const languages = world.languages.filter((language) => programLanguages.includes(language));
  const plan = makePlan({ seed, seconds, languages });
  onPlan?.(plan);
  const engine = lookAtEngine(world);
  const run = new Run({ ...options, world, ledger, endedForMs });
  void world.exited.then(({ code, signal }) => run.onExit(`status ${code}, signal ${signal}`));

  // Every way once, so that what a first use costs does not look like a loss.
  const warmUp = makePlan({ seed: warmUpSeed, seconds: 2, languages });
  onPhase("warms up");
  await run.perform({ ...warmUp, faults: [] }, Date.now() + 2_000);
  onPhase("comes to rest");
  const before = { ...(await settle(world)), engine };
  onPhase("runs");
  run.tally.addPlanned(plan.faults);
  await run.perform(plan, Date.now() + seconds * 1_000);
  onPhase("comes to rest");
  const [rest, engineAfter] = await Promise.all([settle(world), settleEngine(world, engine)]);
  const after = { ...rest, engine: engineAfter };
  onPhase("ends");

  run.report(checkFootprint(before, after, run.tally.of("requests with an id")));
  run.report(checkEngine(engine, engineAfter));
  run.report(ledger.strays());
  await using parting = await startParting(world, languages);
  run.isOver = true;
  run.report(await checkEnd(world));
  run.report(await parting.violations());
  run.tally.addVictims(run.blows);
  return { counts: run.tally.counts, violations: run.violations, before, after };
}

interface RunOptions extends ChaosOptions {
  readonly world: World;
  readonly ledger: Ledger;
  readonly endedForMs: number;
}

class Run {
  readonly tally = new Tally();
  readonly blows: Blow[] = [];
  violations = 0;
  /** The service is being ended. */
  isOver = false;
  readonly #options: RunOptions;

  constructor(options: RunOptions) {
    this.#options = options;
  }

  /** The service ended by itself. */
  onExit(how: string): void {
    if (!this.isOver) this.report([{ name: "the service died", detail: how }]);
  }

  report(violations: readonly Violation[], story?: Story): void {
    for (const violation of violations) {
      this.violations += 1;
      const { lines } = this.#options.world;
      const own = story && [
        ...lines.filter((line) => line.includes(`"${story.act.token}"`)),
        // What an engine says when it dies.
        ...lines.filter((line) => line.includes('"level":40')).slice(-warningsShown),
      ];
      this.#options.onViolation({ ...violation, story, lines: own ?? lines.slice(-20) });
    }
  }

  /** Carries out a plan up to a time, and waits for the end of what has begun by then. */
  async perform(plan: Plan, endsAt: number): Promise<void> {
    const startsAt = Date.now();
    await Promise.all([
      ...plan.clients.map((client) => this.#runClient(client, endsAt)),
      ...plan.faults.map((fault) => this.#runFault(fault, startsAt, endsAt)),
    ]);
  }

  async #runClient({ tenant, role, acts }: ClientPlan, endsAt: number): Promise<void> {
    const { world } = this.#options;
    await using client = await connect(world, role, tenant);
    for (const act of acts) {
      await sleep(act.pauseMs);
      if (Date.now() >= endsAt || world.exit !== undefined) return;
      await this.#runAct(act, { tenant, role, client });
    }
  }

  async #runFault(fault: Fault, startsAt: number, endsAt: number): Promise<void> {
    const { world } = this.#options;
    await sleep(startsAt + fault.atMs - Date.now());
    if (Date.now() >= endsAt || world.exit !== undefined) return;
    const hasHit =
      fault.kind === "burst" ? await this.#burst(fault) : await this.#strike(fault, endsAt);
    this.tally.add(`fault ${fault.kind}: ${hasHit ? "hit" : "nobody there"}`);
  }

  /** Whether there was somebody to hit; one that is being started again is waited for. */
  async #strike(fault: Exclude<Fault, { kind: "burst" }>, endsAt: number): Promise<boolean> {
    const { world } = this.#options;
    const until = endsAt + restartMs;
    for (; Date.now() < until && world.exit === undefined; await sleep(50)) {
      const blow = strike(fault, world);
      if (blow === undefined) continue;
      this.blows.push(blow);
      return true;
    }
    return false;
  }

  /** Whether it was more than the queue takes. */
  async #burst({ tenant, acts }: Extract<Fault, { kind: "burst" }>): Promise<boolean> {
    await using client = await connect(this.#options.world, "generated", tenant);
    const cast: Cast = { tenant, role: "generated", client };
    const stories = await Promise.all(acts.map((act) => this.#runAct(act, cast)));
    return stories.some(({ views }) =>
      views.some(({ end }) => end?.how === "failed" && end.kind === "overloaded"),
    );
  }

  async #runAct(act: Act, cast: Cast): Promise<Story> {
    const { world, ledger, endedForMs } = this.#options;
    const { tenant } = cast;
    const story = ledger.open(act, tenant);
    const over = new AbortController();
    const hung = sleep(hungMs, true, { signal: over.signal }).catch(() => false);
    const isHung = await Promise.race([this.#live(story, cast).then(() => false), hung]);
    over.abort();
    if (isHung) this.report([{ name: "hung act", detail: act.token }], story);
    await arrived(story, cast.client);
    if (world.exit !== undefined) return story;
    await audit(world.auditor(tenant), story);
    const violations = checkStory(story, { endedForMs, blows: this.blows });
    this.report([...violations, ...ledger.close(story)], story);
    this.tally.addStory(story);
    return story;
  }

  async #live(story: Story, { role, client }: Cast): Promise<void> {
    const { world } = this.#options;
    const { act } = story;
    const { leaves } = act;
    const lead =
      "codemode" in client
        ? leadBySdk(story, client, { reader: "lead", leaves })
        : leadByPeer(story, {
            reader: "lead",
            peer: client,
            isHost: true,
            leaves,
            find: () => findExecution(world, story),
          });
    const sides = act.beside.map((beside, index) =>
      happenBeside(story, beside, {
        world,
        role,
        name: `${beside.kind} ${index}`,
        perform: async (rival, other) => {
          await using peer = await world.generated(other);
          await this.#runAct(rival, { tenant: other, role: "generated", client: peer });
        },
      }),
    );
    await Promise.all([lead, ...sides]);
  }
}

interface Cast {
  readonly tenant: string;
  readonly role: Role;
  readonly client: Peer | SdkClient;
}

function connect(world: World, role: Role, tenant: string): Promise<Peer | SdkClient> {
  return world[role](tenant);
}

/** What became of a request that was sent and had no answer. */
async function findExecution(world: World, { act, tenant }: Story): Promise<string | undefined> {
  if (act.requestId === "") return undefined;
  const key = { case: "requestId", value: act.requestId } as const;
  try {
    const { execution } = await world.auditor(tenant).executor.getExecution({ key });
    // The id may be that of another request, which came before.
    return execution?.correlationId === act.token ? execution.executionId : undefined;
  } catch {
    return undefined; // it did not arrive, was refused, or is lost
  }
}
