import { createLocalDispatcher } from "../../src/dispatch/local.ts";
import { dispatcherSuite } from "./dispatcher.suite.ts";

dispatcherSuite("the local dispatcher", {
  create: (setup) => createLocalDispatcher({ ...setup, memoryInUse: () => 0 }),
});
