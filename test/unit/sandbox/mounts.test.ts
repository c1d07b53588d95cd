import { describe, expect, it } from "vitest";
import { isWithin, mountsOf } from "../../../src/sandbox/wall/mounts.ts";

const mounts = [
  { path: "/", options: ["relatime"] },
  { path: "/data", options: ["nosuid"] },
  { path: "/data/app/cache", options: ["noexec", "noatime"] },
  { path: "/database", options: ["nodev"] },
];

describe("the mounts of a directory", () => {
  it.each([
    ["/etc", [{ path: "/etc", options: ["relatime"] }]],
    ["/data/other", [{ path: "/data/other", options: ["nosuid"] }]],
    [
      "/data/app",
      [
        { path: "/data/app", options: ["nosuid"] },
        { path: "/data/app/cache", options: ["noexec", "noatime"] },
      ],
    ],
    ["/data/app/cache", [{ path: "/data/app/cache", options: ["noexec", "noatime"] }]],
  ])("%s are the one that it lies in, and all below", (path, expected) => {
    expect(mountsOf(path, mounts)).toEqual(expected);
  });

  it("the later of two at one place counts", () => {
    const twice = [...mounts, { path: "/data", options: ["nodev"] }];
    expect(mountsOf("/data/x", twice)[0]).toEqual({ path: "/data/x", options: ["nodev"] });
  });

  it("names that begin alike are not within each other", () => {
    expect(isWithin("/database/x", "/data")).toBe(false);
    expect(isWithin("/data/x", "/data")).toBe(true);
    expect(isWithin("/data", "/")).toBe(true);
  });
});
