import { create } from "@bufbuild/protobuf";
import { type CallOptions, Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { GetServerInfoResponseSchema } from "../../../gen/es/codemode/v1/executor_pb.ts";
import { Peer } from "../../../src/sdk/peer.ts";
import type { ExecutorClient } from "../../../src/sdk/transport.ts";
import { instanceTrailer } from "../../../src/shared/status.ts";

const { signal } = new AbortController();
const headers = new Headers();

/** A peer whose server gives these answers, one after the other: an instance, no word of it, an error. */
function createPeer(...answers: (string | undefined | ConnectError)[]) {
  let asked = 0;
  const getServerInfo = async (_request: unknown, options: CallOptions) => {
    const answer = answers[asked];
    asked += 1;
    if (answer instanceof ConnectError) throw answer;
    options.onTrailer?.(new Headers(answer === undefined ? {} : { [instanceTrailer]: answer }));
    const maxKeepWithoutReader = { seconds: 4n, nanos: 0 };
    return create(GetServerInfoResponseSchema, { maxKeepWithoutReader });
  };
  const peer = new Peer({ getServerInfo } as unknown as ExecutorClient);
  return { peer, asked: () => asked };
}

describe("a peer", () => {
  it("is asked once, by all at the same time", async () => {
    const { peer, asked } = createPeer("i1");
    const infos = await Promise.all([peer.info(headers, signal), peer.info(headers, signal)]);
    expect(infos).toEqual(Array(2).fill({ instanceId: "i1", maxKeepMs: 4_000 }));
    expect(asked()).toBe(1);
    expect(peer.instanceId).toBe("i1");
  });

  it("that does not say who it is is known as none, and asked again only where it may say so later", async () => {
    const silent = createPeer(undefined);
    expect(await silent.peer.info(headers, signal)).toBeUndefined();
    const old = createPeer(new ConnectError("what?", Code.Unimplemented));
    expect(await old.peer.info(headers, signal)).toBeUndefined();
    await Promise.all([silent, old].map(({ peer }) => peer.info(headers, signal)));
    expect([silent.asked(), old.asked()]).toEqual([1, 1]);
    const closed = createPeer(new ConnectError("who?", Code.Unauthenticated), "i1");
    expect(await closed.peer.info(headers, signal)).toBeUndefined();
    expect(await closed.peer.info(headers, signal)).toMatchObject({ instanceId: "i1" });
  });

  it("that cannot be reached rejects, and is asked again", async () => {
    const cause = Object.assign(new Error("refused"), { code: "ECONNREFUSED", syscall: "connect" });
    const refused = new ConnectError("refused", Code.Unavailable, undefined, undefined, cause);
    const { peer } = createPeer(refused, "i1");
    await expect(peer.info(headers, signal)).rejects.toBe(refused);
    expect(await peer.info(headers, signal)).toMatchObject({ instanceId: "i1" });
  });

  it("that does not answer at all counts as not reached, so that another one may be", async () => {
    const { peer } = createPeer(new ConnectError("too late", Code.DeadlineExceeded), "i1");
    await expect(peer.info(headers, signal)).rejects.toMatchObject({
      kind: "unavailable",
      retryable: true,
    });
    expect(await peer.info(headers, signal)).toMatchObject({ instanceId: "i1" });
  });

  it("is asked again when another instance has answered, once for all who found out", async () => {
    const { peer, asked } = createPeer("i1", "i2");
    await peer.info(headers, signal);
    for (let call = 0; call < 10; call++) peer.miss("i1");
    expect(peer.isOne).toBe(true);
    expect(await peer.info(headers, signal)).toMatchObject({ instanceId: "i2" });
    peer.miss("i1");
    expect(await peer.info(headers, signal)).toMatchObject({ instanceId: "i2" });
    expect(asked()).toBe(2);
  });

  it("is not one when it is another instance time after time, as behind a proxy", async () => {
    const { peer } = createPeer("i1", "i2", "i1", "i2", "i1", "i2");
    for (const instance of ["i1", "i2"]) {
      await peer.info(headers, signal);
      peer.miss(instance);
    }
    await peer.info(headers, signal);
    peer.hit();
    for (const instance of ["i1", "i2", "i1"]) {
      expect(peer.isOne).toBe(true);
      await peer.info(headers, signal);
      peer.miss(instance);
    }
    expect(peer.isOne).toBe(false);
  });
});
