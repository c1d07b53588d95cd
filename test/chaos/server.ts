// The service under test, as `codemode serve` runs it, in a process of its own. On request it collects
// its garbage and says what is left on its heap.
import { serve } from "../../src/cli/serve.ts";

const [file] = process.argv.slice(2);

process.on("message", () => {
  // A second time, for what the first one's finalizers let go.
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  process.send?.(heapUsed + arrayBuffers);
});
// A run that died does not leave it behind.
process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
// The way to its parent does not keep it alive.
process.channel?.unref();
await serve(file === undefined ? {} : { config: file });
