import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["codemode-source"] },
  ssr: { resolve: { conditions: ["codemode-source"] } },
  test: {
    include: ["test/**/*.test.ts"],
    typecheck: { include: ["test/**/*.test-d.ts"] },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Two files at once: guests are real processes, and the machines that run this have few cores.
    maxWorkers: 2,
  },
});
