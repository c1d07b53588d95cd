import { Socket } from "node:net";
import { deserialize } from "node:v8";
import {
  type Message,
  MessageReader,
  messageTypes,
  toJsonMessage,
  toMessage,
} from "../messages.ts";
import { Engine } from "./engine.ts";
import { importError } from "./hints.ts";
import { type EngineFiles, takeSnapshot } from "./snapshot.ts";
import type { VmHost } from "./vm.ts";

// The engine process: it speaks with the service on descriptor 3, and ends with it.
// Longer than what any request can become, which as JSON takes up to six times its own bytes.
const maxMessageBytes = 512 * 1024 * 1024;

/** What the service starts the engine with. */
export interface BootMessage {
  readonly files: EngineFiles;
  readonly maxThreads: number;
  readonly warmThreads: number;
  /** Memory that programs and their threads may hold together, bytes. */
  readonly memoryBytes: number;
}

const channel = new Socket({ fd: 3, readable: true, writable: true });
const reader = new MessageReader(maxMessageBytes);
let engine: Engine | undefined;

/** While the prelude is evaluated there is no run that could ask for anything. */
const noHost: VmHost = {
  functions: Object.fromEntries([..."otrwmhnpqdic"].map((name) => [name, () => 0])),
  onInterrupt: () => {},
  onRejection: () => {},
  mayGrow: () => true,
  onGrown: () => {},
  fillRandom: () => {},
  moduleName: (name) => name,
  importError,
};

async function boot(payload: Buffer): Promise<void> {
  const startedMs = performance.now();
  const { files, maxThreads, warmThreads, memoryBytes } = deserialize(payload) as BootMessage;
  const snapshot = takeSnapshot(files, noHost);
  const booted = new Engine({
    snapshot,
    maxThreads,
    warmThreads,
    memoryBytes,
    onLeased: (guest) => channel.write(toMessage(messageTypes.leased, guest)),
    onData: (guest, bytes) => channel.write(toMessage(messageTypes.data, guest, bytes)),
    onEnd: (guest, { cause, detail }, { cpuMs, peakMemoryBytes }) => {
      const end = { cause, detail: detail.slice(0, 1024), cpuMs, peakMemoryBytes };
      channel.write(toJsonMessage(messageTypes.end, guest, end));
    },
    onStandBack: (thread) => {
      channel.write(toJsonMessage(messageTypes.standBack, 0, { thread }));
    },
  });
  await booted.warm();
  engine = booted;
  const tookMs = performance.now() - startedMs;
  channel.write(toJsonMessage(messageTypes.ready, 0, { version: process.version, tookMs }));
}

function take({ type, guest, payload }: Message): void {
  const json = () => JSON.parse(payload.toString("utf8"));
  switch (type) {
    case messageTypes.boot:
      void boot(payload);
      return;
    case messageTypes.lease:
      engine?.lease(guest, String(json().group));
      return;
    case messageTypes.start:
      engine?.start(guest, json());
      return;
    case messageTypes.frame:
      engine?.frame(guest, new Uint8Array(payload));
      return;
    case messageTypes.credit:
      engine?.credit(guest, payload.readUInt32LE(0));
      return;
    case messageTypes.kill:
      engine?.kill(guest);
      return;
    case messageTypes.ping:
      channel.write(toMessage(messageTypes.pong, 0));
  }
}

channel.on("data", (chunk: Buffer) => {
  for (const message of reader.push(chunk)) take(message);
});
for (const end of ["end", "close", "error"]) channel.once(end, () => process.exit(0));
