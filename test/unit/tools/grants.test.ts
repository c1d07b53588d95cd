import { describe, expect, it } from "vitest";
import { CodemodeError } from "../../../src/shared/errors.ts";
import type { ToolDeclaration } from "../../../src/shared/model.ts";
import { openGrants } from "../../../src/tools/grants.ts";
import type { ToolService } from "../../../src/tools/tool-service.ts";
import { never } from "../../support/executions.ts";
import { toolOf } from "../../support/requests.ts";

/** A service whose list is `tools`, and another one when it is to be fresh. */
function serviceOf(
  name: string,
  tools: readonly ToolDeclaration[],
  fresh: () => readonly ToolDeclaration[] = () => tools,
): ToolService {
  return {
    name,
    tools: async (_signal, { isFresh = false } = {}) => (isFresh ? fresh() : tools),
    call: async () => ({ resultJson: "1" }),
  };
}

describe("grants", () => {
  it("hold the caller's tools and those of the services, each with who answers", async () => {
    const crm = serviceOf("crm", [toolOf("find")]);
    const grants = await openGrants({ inline: [toolOf("weather")], services: [crm] }, never);
    expect(grants.all.map(({ tool }) => tool.name)).toEqual(["weather", "find"]);
    expect(grants.get("weather")?.service).toBeUndefined();
    expect(grants.get("find")?.service).toBe(crm);
  });

  it.each(["Weather", "weather ", "wea\u200bther", "__proto__", "constructor", "toString", ""])(
    "do not hold %j, which is not the name of a tool",
    async (name) => {
      const grants = await openGrants({ inline: [toolOf("weather")], services: [] }, never);
      expect(grants.get(name)).toBeUndefined();
      expect(await grants.find(name, never)).toBeUndefined();
    },
  );

  it.each([
    [
      "the request and a service",
      { inline: [toolOf("find")], services: [serviceOf("crm", [toolOf("find")])] },
      'the tool "find" is in the request and in the tool service "crm"',
    ],
    [
      "two services",
      {
        inline: [],
        services: [serviceOf("crm", [toolOf("find")]), serviceOf("erp", [toolOf("find")])],
      },
      'the tool "find" is in the tool service "crm" and in the tool service "erp"',
    ],
    [
      "the request twice",
      { inline: [toolOf("find"), toolOf("find")], services: [] },
      'the tool "find" is twice in the request',
    ],
  ])("are refused where %s have a tool of the same name", async (_who, request, message) => {
    await expect(openGrants(request, never)).rejects.toMatchObject({
      kind: "invalid_request",
      message,
      violations: [{ field: "request.tools" }],
    });
  });

  it("are refused when a service does not tell its tools", async () => {
    const error = new CodemodeError("unavailable", "gone");
    const crm = { ...serviceOf("crm", []), tools: () => Promise.reject(error) };
    await expect(openGrants({ inline: [], services: [crm] }, never)).rejects.toBe(error);
  });
});

describe("a name that is not known", () => {
  it("is looked for in fresh lists, and granted from then on", async () => {
    const crm = serviceOf("crm", [], () => [toolOf("new")]);
    const grants = await openGrants({ inline: [], services: [crm] }, never);
    expect(grants.get("new")).toBeUndefined();
    expect((await grants.find("new", never))?.service).toBe(crm);
    expect(grants.get("new")?.service).toBe(crm);
    expect(grants.all).toHaveLength(1);
  });

  it("grants only what was looked for", async () => {
    const crm = serviceOf("crm", [], () => [toolOf("new"), toolOf("newer")]);
    const grants = await openGrants({ inline: [], services: [crm] }, never);
    await grants.find("new", never);
    expect(grants.get("newer")).toBeUndefined();
  });

  it("is the first service's where two have it now", async () => {
    const crm = serviceOf("crm", [], () => [toolOf("new")]);
    const erp = serviceOf("erp", [], () => [toolOf("new")]);
    const grants = await openGrants({ inline: [], services: [crm, erp] }, never);
    expect((await grants.find("new", never))?.service).toBe(crm);
  });

  it("is not found in a service that cannot be asked", async () => {
    const crm = serviceOf("crm", [toolOf("old")], () => {
      throw new Error("gone");
    });
    const grants = await openGrants({ inline: [], services: [crm] }, never);
    expect(await grants.find("new", never)).toBeUndefined();
    expect(grants.get("old")?.service).toBe(crm);
  });
});
