import { createLocalDispatcher } from "../../src/dispatch/local.ts";
import type { DispatcherUnderTest } from "../support/dispatchers.ts";
import { dispatcherSuite } from "./dispatcher.suite.ts";
import { quotasSuite } from "./quotas.suite.ts";

const local: DispatcherUnderTest = {
  create: (setup) => createLocalDispatcher({ ...setup, memoryInUse: () => 0 }),
};

dispatcherSuite("the local dispatcher", local);
quotasSuite("the local dispatcher", local);
