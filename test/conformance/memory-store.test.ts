import { createMemoryStore } from "../../src/execution/memory-store.ts";
import { storeSuite } from "./store.suite.ts";

storeSuite("the memory store", {
  create: (keptOutputBytes) => createMemoryStore({ keptOutputBytes }),
});
