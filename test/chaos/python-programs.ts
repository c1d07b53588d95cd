import { type Kind, type Program, paddingOf } from "./programs.ts";

/** The source of a program in Python. Its first act is `begin`, by which the ledger counts its runs. */
export function pythonSource(program: Program): string {
  if (program.kind === "syntax") return "def f(:";
  return [head(program), bodies[program.kind](program)].join("\n");
}

function head({ kind, count }: Program): string {
  return `
T, COUNT, PAD = context["token"], ${count}, ${JSON.stringify(paddingOf(kind))}
said = 0
def say():
    global said
    print(f"{T} {said:08d}{PAD}")
    said += 1
def label(index):
    return {"token": T, "label": f"{T}/{index}"}
tools.begin(token=T)
say()`.trim();
}

const bodies: Readonly<Record<Kind, (program: Program) => string>> = {
  value: () => `result = {"token": T, "tenant": context["tenant"], "big": 2**60 + COUNT}`,
  output: ({ ms }) => `
import sys, time
for i in range(COUNT - 1):
    say()
    if i % 7 == 3:
        print(f"{T} err {i}", file=sys.stderr)
    if i % 10 == 0:
        time.sleep(${ms / 1_000} / (COUNT / 10))
result = [T, COUNT]`,
  spill: () => `
for i in range(COUNT - 1):
    say()
result = [T, COUNT]`,
  sequential: () => `
echoes = []
for i in range(COUNT):
    echoes.append(tools.effect(**label(i)))
    say()
result = [T, echoes]`,
  parallel: () => `
import asyncio
result = [T, await asyncio.gather(*(tools.effect(**label(i)) for i in range(COUNT)))]`,
  failing: () => `
messages = []
for i in range(COUNT):
    try:
        messages.append(tools.fail(**label(i)))
    except Exception as error:
        if "refused " not in str(error):
            raise
        text = str(error)
        messages.append(text[text.index("refused "):].split()[0] + " " + text[text.index("refused "):].split()[1])
    say()
result = [T, messages]`,
  slow: ({ ms }) => `
echoes = []
for i in range(COUNT):
    echoes.append(tools.slow(ms=${ms}, **label(i)))
    say()
result = [T, echoes]`,
  unanswered: () => `
try:
    result = [T, tools.never(**label(0))]
except Exception as error:
    if "did not answer within" not in str(error):
        raise
    result = [T, "gave up"]`,
  sleep: () => `
import time
while True:
    time.sleep(0.05)`,
  spin: () => `
while True:
    pass`,
  stuck: () => `
import re
re.match("^(a+)+$", "a" * 64 + "b")`,
  hog: ({ ms }) => `
import time
while time.process_time() < ${ms / 1_000}:
    pass
result = [T, "hog"]`,
  bomb: () => `
kept = []
while True:
    kept.append(bytearray(2**20))`,
  flood: () => `
while True:
    say()`,
  segfault: () => `
import ctypes
ctypes.string_at(0)`,
  exit: () => `
import os
os._exit(7)`,
  exception: () => `raise ValueError(T)`,
  syntax: () => "",
  near_wall: ({ ms }) => `
import time
time.sleep(${ms / 1_000})
result = [T, "in time"]`,
  near_active: ({ ms }) => `
import time
while time.process_time() < ${ms / 1_000}:
    pass
result = [T, "in time"]`,
  near_wait: ({ ms }) => `
try:
    result = [T, tools.slow(ms=${ms}, **label(0))]
except Exception as error:
    if "did not answer within" not in str(error):
        raise
    result = [T, "gave up"]`,
};
