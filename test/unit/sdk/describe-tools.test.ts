import { describe, expect, it } from "vitest";
import * as z from "zod";
import { Codemode, defineTool, estimateTokens } from "../../../src/index.ts";

const weather = defineTool({
  name: "weather",
  description: "Current weather of a city",
  inputSchema: z.object({ location: z.string(), units: z.enum(["c", "f"]).default("c") }),
  outputSchema: z.object({ temperature: z.number() }),
  execute: async () => ({ temperature: 1 }),
});

const connect = () => Codemode.connect({ url: "http://127.0.0.1:9" });

/** A client with so many tools. */
function withTools(count: number) {
  const codemode = connect();
  for (let index = 0; index < count; index++) {
    codemode.registry.register({ ...weather, name: `tool_${index}` });
  }
  return codemode;
}

describe("describeTools", () => {
  it("renders Python stubs by default", async () => {
    const codemode = connect();
    codemode.registry.register(weather);
    expect(await codemode.describeTools()).toBe(`class WeatherResult(TypedDict):
    temperature: float
def weather(location: str, units: Literal['c', 'f'] = 'c') -> WeatherResult:
    """Current weather of a city"""`);
  });

  it("renders TypeScript declarations", async () => {
    const codemode = connect();
    codemode.registry.register([weather, { ...weather, name: "now" }]);
    expect(
      await codemode.describeTools({ language: "typescript", tools: ["weather"] }),
    ).toBe(`declare const tools: {
  /** Current weather of a city */
  weather(input: {
    location: string;
    /** Default "c". */
    units?: "c" | "f";
  }): Promise<{ temperature: number }>;
};`);
  });

  it.each(["python", "typescript"] as const)(
    "keeps to its budget in %s: signatures while there is room, then names, then how to search",
    async (language) => {
      const codemode = withTools(200);
      const whole = await codemode.describeTools({ language });
      expect(whole).toContain("tool_199");
      expect(whole).not.toContain("__search__");
      for (const maxTokens of [40, 100, 500, 2_000, 5_000]) {
        const text = await codemode.describeTools({ language, maxTokens });
        expect(estimateTokens(text)).toBeLessThanOrEqual(maxTokens);
        expect(text).toContain("__search__");
        const shown = text.match(/Current weather/g)?.length ?? 0;
        expect(text).toContain(`${200 - shown} more tools`);
        if (maxTokens >= 500)
          expect(text).toMatch(new RegExp(`^.*\\btool_${shown}, tool_${shown + 1}\\b`, "m"));
        if (maxTokens >= 2_000) expect(shown).toBeGreaterThan(15);
      }
    },
  );

  it("lets one tool that is too long keep no other one out", async () => {
    const codemode = connect();
    const long = { ...weather, name: "long", description: "x ".repeat(2_000) };
    codemode.registry.register([long, weather]);
    const text = await codemode.describeTools({ maxTokens: 200 });
    expect(text).toContain("def weather(");
    expect(text).toContain("1 more tools");
    expect(text).toMatch(/^# long$/m);
  });

  it("refuses what it cannot render", async () => {
    const codemode = connect();
    const expected = { kind: "invalid_request", violations: [{ field: "language" }] };
    await expect(codemode.describeTools({ language: "ruby" as never })).rejects.toMatchObject(
      expected,
    );
    await expect(codemode.describeTools({ maxTokens: 0 })).rejects.toMatchObject({
      violations: [{ field: "maxTokens" }],
    });
    await expect(codemode.describeTools({ tools: ["none"] })).rejects.toMatchObject({
      message: expect.stringContaining('no tool "none" is registered'),
    });
  });
});

describe("toolPrompt", () => {
  it.each(["python", "typescript"] as const)(
    "takes less than 600 tokens in %s without the tools, with rules and two examples",
    async (language) => {
      const prompt = await connect().toolPrompt({ language });
      expect(estimateTokens(prompt)).toBeLessThan(600);
      expect(prompt).toContain("Rules\n");
      expect(prompt.match(/^Example: /gm)).toHaveLength(2);
      expect(prompt).toContain("There are no tools.");
    },
  );

  it("ends with the tools, in the words of describeTools", async () => {
    const codemode = withTools(3);
    const tools = await codemode.describeTools({ maxTokens: 90 });
    expect(await codemode.toolPrompt({ maxTokens: 90 })).toContain(
      `\n\`\`\`python\n${tools}\n\`\`\`\n`,
    );
  });
});
