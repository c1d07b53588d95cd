import { writeSync } from "node:fs";
import { type EmscriptenModule, errnos, type FileSystem, type StreamOps } from "./emscripten.ts";
import { type Ring, take, wait } from "./ring.ts";

/** The descriptor of the socket to the service. */
export const hostDescriptor = 3;
// As cpython/guest/frames.py has them.
const [stdoutFrame, stderrFrame] = [2, 3];
const headerBytes = 5;
const maxFrameBytes = 32 * 1024;
/** The numeric limits, the first thing that a guest reads: frames.py LIMITS. */
const limitsBytes = 64;
const deviceMajor = 64;
const firstStandardMinor = 8;

/** Options of `addDevices`. */
export interface DevicesOptions {
  /** What the service says. */
  readonly ring: Ring;
  /** Takes the limit of memory, bytes, before the program can be read. */
  readonly onMemoryLimit: (bytes: number) => void;
  /** The way to the service is gone. Does not return. */
  readonly onClosed: () => never;
}

/**
 * Gives the interpreter its ways out, as devices: /dev/codemode/host carries frames both ways and
 * blocks; a number of seconds written to `answers` blocks until there is something to read (or fails
 * with EAGAIN in time), one written to `sleep` as long as it says. Native output becomes frames.
 */
export function addDevices({ FS }: EmscriptenModule, options: DevicesOptions): void {
  const { ring, onMemoryLimit, onClosed } = options;
  const never = new Int32Array(new SharedArrayBuffer(4));
  const limits = new Uint8Array(limitsBytes);
  let filled = 0;
  FS.mkdirTree("/dev/codemode");
  addDevice(FS, "/dev/codemode/host", 0, {
    read(_stream, memory, offset, length) {
      if (filled === limitsBytes) return take(ring, memory, offset, length);
      const count = take(ring, memory, offset, Math.min(length, limitsBytes - filled));
      limits.set(memory.subarray(offset, offset + count), filled);
      filled += count;
      if (filled === limitsBytes) {
        onMemoryLimit(Number(new DataView(limits.buffer).getBigUint64(0, true)));
      }
      return count;
    },
    write(_stream, memory, offset, length) {
      send(memory, offset, length, onClosed);
      return length;
    },
  });
  addDevice(FS, "/dev/codemode/answers", 1, {
    write(_stream, memory, offset, length) {
      if (!wait(ring, toMilliseconds(memory, offset))) throw new FS.ErrnoError(errnos.again);
      return length;
    },
  });
  addDevice(FS, "/dev/codemode/sleep", 2, {
    write(_stream, memory, offset, length) {
      Atomics.wait(never, 0, 0, toMilliseconds(memory, offset));
      return length;
    },
  });
  setStandardStreams(FS, onClosed);
}

function addDevice(FS: FileSystem, path: string, minor: number, ops: StreamOps): void {
  const device = FS.makedev(deviceMajor, minor);
  FS.registerDevice(device, ops);
  FS.mkdev(path, 0o666, device);
}

/** Standard streams of native code: what it writes becomes frames, and it has nothing to read. */
function setStandardStreams(FS: FileSystem, onClosed: () => never): void {
  // Emscripten's own terminals read the standard input of this process.
  for (const name of ["stdin", "stdout", "stderr", "tty", "tty1"]) FS.unlink(`/dev/${name}`);
  const nothing: StreamOps = {
    read: () => 0,
    write: (_stream, _memory, _offset, length) => length,
  };
  const streams = [
    ["stdin", nothing],
    ["stdout", { ...nothing, write: toFrames(stdoutFrame, onClosed) }],
    ["stderr", { ...nothing, write: toFrames(stderrFrame, onClosed) }],
  ] as const;
  for (const [descriptor, [name, ops]] of streams.entries()) {
    addDevice(FS, `/dev/${name}`, firstStandardMinor + descriptor, ops);
    const stream = FS.getStream(descriptor);
    if (stream !== null) stream.stream_ops = { ...stream.stream_ops, ...ops };
  }
}

function toFrames(type: number, onClosed: () => never): NonNullable<StreamOps["write"]> {
  return (_stream, memory, offset, length) => {
    const count = Math.min(length, maxFrameBytes);
    if (count === 0) return 0;
    const frame = Buffer.alloc(headerBytes + count);
    frame.writeUInt32LE(count, 0);
    frame.writeUInt8(type, 4);
    frame.set(memory.subarray(offset, offset + count), headerBytes);
    send(frame, 0, frame.length, onClosed);
    return count;
  };
}

// The descriptor blocks: whoever writes more than the service reads waits here.
function send(
  bytes: NodeJS.ArrayBufferView,
  offset: number,
  length: number,
  onClosed: () => never,
): void {
  try {
    for (let sent = 0; sent < length; ) {
      sent += writeSync(hostDescriptor, bytes, offset + sent, length - sent);
    }
  } catch {
    onClosed(); // nobody reads any more, so that nobody needs to be told why
  }
}

function toMilliseconds(memory: Int8Array, offset: number): number {
  return new DataView(memory.buffer).getFloat64(memory.byteOffset + offset, true) * 1000;
}
