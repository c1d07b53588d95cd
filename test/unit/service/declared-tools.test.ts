import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { ToolDeclarationSchema } from "../../../gen/es/codemode/v1/tool_pb.ts";
import { digestOf } from "../../../src/service/declarations.ts";
import { DeclaredTools } from "../../../src/service/declared-tools.ts";
import { toGuestTool } from "../../../src/service/guest-tools.ts";

const declare = (count: number, schemaBytes = 100, prefix = "t") =>
  Array.from({ length: count }, (_, index) =>
    create(ToolDeclarationSchema, {
      name: `${prefix}${index}`,
      inputSchemaJson: JSON.stringify({ title: "x".repeat(schemaBytes - 12) }),
    }),
  );

it("reads 1,000 tools with 4 MiB of schemas", async () => {
  const messages = declare(1_000, 4_194);
  const { tools, faults } = await new DeclaredTools().read(messages, "a");
  expect(faults).toEqual([]);
  expect(tools).toHaveLength(1_000);
});

it("gives the same objects for the same set of the same tenant, so that signatures are made once", async () => {
  const sets = new DeclaredTools();
  const one = await sets.read(declare(20), "a");
  const again = await sets.read(declare(20), "a");
  expect(again.tools).toBe(one.tools);
  const [tool] = one.tools;
  const [same] = again.tools;
  if (tool === undefined || same === undefined) throw new Error("no tools");
  expect(toGuestTool(same, "python")).toBe(toGuestTool(tool, "python"));
  expect(toGuestTool(same, "typescript")).not.toBe(toGuestTool(tool, "python"));
});

it("tells apart sets that differ in anything, and tenants", async () => {
  const sets = new DeclaredTools();
  const { tools, digest } = await sets.read(declare(3), "a");
  expect(digestOf(tools)).toBe(digest);
  const others = [
    declare(4),
    declare(3).reverse(),
    declare(3, 101),
    declare(3, 100, "u"),
    declare(3).map((tool) => ({ ...tool, readOnly: true })),
    declare(3).map((tool) => ({ ...tool, description: "d" })),
  ];
  for (const other of others) expect((await sets.read(other, "a")).digest).not.toBe(digest);
  expect((await sets.read(declare(3), "b")).tools).not.toBe(tools);
  expect((await sets.read(declare(3), "b")).digest).toBe(digest);
});

it("forgets the set that was declared longest ago when there are too many bytes of them", async () => {
  const sets = new DeclaredTools();
  const first = await sets.read(declare(100, 30_000, "first"), "a");
  const kept = await sets.read(declare(100, 30_000, "kept"), "a");
  for (let set = 0; set < 4; set++) {
    await sets.read(declare(100, 30_000, `s${set}_`), "b");
    expect((await sets.read(declare(100, 30_000, "kept"), "a")).tools).toBe(kept.tools);
  }
  expect((await sets.read(declare(100, 30_000, "first"), "a")).tools).not.toBe(first.tools);
});

it("keeps nothing of a set that has a fault", async () => {
  const sets = new DeclaredTools();
  const bad = [create(ToolDeclarationSchema, { name: "__x__" })];
  const one = await sets.read(bad, "a");
  expect(one.faults).toEqual([
    {
      field: "request.tools[0].name",
      description: 'begins with "__", which is kept for the service',
    },
  ]);
  expect((await sets.read(bad, "a")).tools).not.toBe(one.tools);
});
