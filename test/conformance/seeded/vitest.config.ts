import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["codemode-source"] },
  ssr: { resolve: { conditions: ["codemode-source"] } },
  test: {
    include: ["test/conformance/seeded/suite.ts"],
    // A bug that makes a test wait for ever is found as well, and sooner.
    testTimeout: 6_000,
    maxWorkers: 1,
  },
});
