import type { Act, Beside, ClientPlan, Fault, Leave, Plan, Road, Role } from "./acts.ts";
import { callsTools, hasKind, type Kind, type Program } from "./programs.ts";
import { createRandom, type Random } from "./random.ts";

/** What a plan is made from. */
export interface PlanOptions {
  readonly seed: number;
  readonly seconds: number;
  /** Languages whose engines are up. */
  readonly languages: readonly string[];
}

/** Tenants of the service under test. */
export const tenants = ["red", "green", "blue"] as const;

const roles: readonly Role[] = ["sdk", "generated", "sdk", "generated", "raw"];
const clientCount = 10;
// More than any client comes to.
const actsPerSecond = 4;
const burstSize = 120;

/** Every choice of a run. The same seed, time and languages give the same plan. */
export function makePlan({ seed, seconds, languages }: PlanOptions): Plan {
  const random = createRandom(seed);
  const clients = Array.from({ length: clientCount }, (_, index): ClientPlan => {
    const name = `c${index}`;
    const own = random.fork(name);
    const tenant = tenants[index % tenants.length] ?? tenants[0];
    const role = roles[index % roles.length] ?? "sdk";
    const count = Math.ceil(seconds * actsPerSecond);
    const acts = Array.from({ length: count }, (_, n) => {
      return makeAct(own.fork(String(n)), `${seed}-${name}-${n}`, { role, languages, seconds });
    });
    return { name, tenant, role, acts };
  });
  return { seed, clients, faults: makeFaults(random.fork("faults"), { seed, seconds, languages }) };
}

const kindWeights: Readonly<Record<Kind, number>> = {
  value: 12,
  output: 10,
  spill: 1,
  sequential: 12,
  parallel: 8,
  failing: 6,
  slow: 10,
  unanswered: 4,
  sleep: 3,
  spin: 2,
  stuck: 1,
  hog: 2,
  bomb: 1,
  flood: 2,
  segfault: 2,
  exit: 2,
  exception: 3,
  syntax: 2,
  near_wall: 3,
  near_active: 2,
  near_wait: 3,
};

const languageWeights: Readonly<Record<string, number>> = {
  python: 4,
  javascript: 3,
  typescript: 1,
};

interface ActOptions {
  readonly role: Role;
  readonly languages: readonly string[];
  readonly seconds: number;
}

function makeAct(random: Random, token: string, { role, languages, seconds }: ActOptions): Act {
  const program = makeProgram(random, languages, role);
  const road = makeRoad(random, role, program);
  const keepMs = random.pick([0, 500, 2_000, 20_000]);
  const canLeave = road !== "execute" || role === "sdk";
  const leaves = canLeave && random.chance(0.55) ? makeLeaves(random, role, road, program) : [];
  const besides = Number(random.weighted({ "0": 5, "1": 3, "2": 2, "3": 1 }));
  const drawn = Array.from({ length: besides }, () => makeBeside(random, seconds));
  const has = (kind: Beside["kind"]) => drawn.some((one) => one.kind === kind);
  // Who may have joined by its request cannot tell its own change of the host from another's.
  const isTwinned = has("twin") && has("takeover");
  return {
    token,
    pauseMs: random.int(0, 300),
    program,
    road: isTwinned && road === "interactive" ? "stream" : road,
    requestId: random.chance(0.7) ? `r-${token}` : "",
    keepMs,
    deadlineMs: random.chance(0.06) ? random.int(20, 600) : undefined,
    // Who takes his time over thousands of events makes the program wait past its limits.
    slowMs: random.chance(0.15) ? random.int(1, program.kind === "spill" ? 1 : 30) : 0,
    leaves,
    // Two of one tenant with one id would be rivals of each other.
    beside: drawn.filter(
      ({ kind }, index) => kind !== "namesake" || drawn.findIndex((b) => b.kind === kind) === index,
    ),
  };
}

function makeProgram(random: Random, languages: readonly string[], role: Role): Program {
  const language = drawLanguage(random, languages);
  const kind = drawKind(random, language, kindWeights);
  const ms = random.int(50, 700);
  const program = { kind, language, count: random.int(2, 6), ms, slackMs: random.int(-30, 60) };
  // A reader of frames answers no tools.
  if (role === "raw" && callsTools(program)) return { ...program, kind: "output", count: 40 };
  switch (kind) {
    case "output":
      return { ...program, count: random.int(2, 120) };
    case "spill":
      return { ...program, count: random.int(5_000, 30_000) };
    case "unanswered":
    case "near_wait":
      return { ...program, count: 1, ms: random.int(150, 600) };
    case "sleep":
    case "spin":
    case "stuck":
      return { ...program, ms: random.int(150, 1_200) };
    default:
      return program;
  }
}

function drawLanguage(random: Random, languages: readonly string[]): string {
  const weights = languages.map((name): [string, number] => [name, languageWeights[name] ?? 1]);
  return random.weighted(Object.fromEntries(weights));
}

/** One of the kinds that a language has. */
function drawKind(
  random: Random,
  language: string,
  weights: Readonly<Partial<Record<Kind, number>>>,
): Kind {
  const own = Object.entries(weights).filter(([kind]) => hasKind(language, kind as Kind));
  return random.weighted<Kind>(Object.fromEntries(own));
}

function makeRoad(random: Random, role: Role, program: Program): Road {
  if (role === "raw") return "stream";
  if (callsTools(program)) return random.pick(["stream", "interactive"] as const);
  return random.pick(["execute", "stream", "interactive"] as const);
}

function makeLeaves(random: Random, role: Role, road: Road, program: Program): Leave[] {
  return Array.from({ length: random.int(1, 3) }, () => {
    const ways: readonly Leave["how"][] =
      role === "sdk" ? ["cut", "cut", "stall", "detach"] : ["drop", "cut", "stall"];
    const byEvents = road !== "execute" && random.chance(0.6);
    return {
      at: byEvents ? { events: random.int(0, 8) } : { ms: random.int(0, 600) },
      how: road === "execute" ? "cut" : random.pick(ways),
      awayMs: random.pick([0, 0, random.int(1, 200), random.int(200, 1_500)]),
      back: random.weighted({ answer: callsTools(program) ? 6 : 1, watch: 2, never: 1 }),
      isFromStart: random.chance(0.3),
    };
  });
}

function makeBeside(random: Random, seconds: number): Beside {
  const kind = random.weighted({
    twin: 5,
    impostor: 2,
    namesake: 2,
    watch: 5,
    takeover: 3,
    cancel: 2,
    snoop: 2,
  });
  // Long after the end, when the log is gone and only the request is known.
  const isLate = kind === "twin" && seconds >= 30 && random.chance(0.1);
  return {
    kind,
    atMs: isLate
      ? random.int(9_000, 12_000)
      : random.pick([0, random.int(0, 300), random.int(0, 1_500)]),
    leavesAfter: random.chance(0.4) ? random.int(0, 6) : undefined,
    slowMs: random.chance(0.3) ? random.int(1, 40) : 0,
  };
}

function makeFaults(random: Random, { seed, seconds, languages }: PlanOptions): Fault[] {
  const faults: Fault[] = [];
  for (let atMs = random.int(300, 1_500); atMs < seconds * 1_000; atMs += random.int(200, 1_600)) {
    const kind = random.weighted({
      kill_guest: 8,
      stop_guest: 5,
      kill_zygote: 1,
      kill_engine: 2,
      stop_engine: 1,
      burst: 2,
    });
    const place = random.int(0, 999) / 1_000;
    switch (kind) {
      case "kill_guest":
      case "kill_engine":
      case "kill_zygote":
        faults.push({ atMs, kind, place });
        break;
      case "stop_guest":
      case "stop_engine": {
        const isForGood = seconds >= 30 && random.chance(0.15);
        faults.push({ atMs, kind, place, forMs: isForGood ? undefined : random.int(20, 2_000) });
        break;
      }
      case "burst": {
        const own = random.fork(`burst ${atMs}`);
        const name = `${seed}-b${atMs}`;
        const acts = Array.from({ length: burstSize }, (_, n) =>
          burstAct(own, `${name}-${n}`, languages),
        );
        faults.push({ atMs, kind, tenant: random.pick(tenants), acts });
      }
    }
  }
  return faults;
}

function burstAct(random: Random, token: string, languages: readonly string[]): Act {
  const language = drawLanguage(random, languages);
  // Those that sleep hold slots, so that the others have to wait and are too many.
  const kind = drawKind(random, language, { value: 4, sleep: 4, exception: 1, exit: 1 });
  const ms = random.int(400, 900);
  const program = { kind, language, count: random.int(2, 6), ms, slackMs: 0 };
  const requestId = random.chance(0.5) ? `r-${token}` : "";
  const fixed = {
    pauseMs: 0,
    road: "execute",
    keepMs: 0,
    slowMs: 0,
    leaves: [],
    beside: [],
  } as const;
  return { ...fixed, token, program, requestId, deadlineMs: undefined };
}
