import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { CallToolResponseSchema } from "../../../gen/es/codemode/v1/tool_service_pb.ts";
import { never } from "../../support/executions.ts";
import { noGrpcio, startGrpcioServer } from "../../support/grpcio.ts";
import { callOf, clientOf } from "./support/client.ts";

const answer = toBinary(
  CallToolResponseSchema,
  create(CallToolResponseSchema, { result: { case: "resultJson", value: '"late"' } }),
);

describe.skipIf(noGrpcio)("a stock gRPC server as a tool service", () => {
  // It ends a connection that pings more often than every five minutes with "too_many_pings".
  it("has a minute for a call, and then another call over the same connection", async () => {
    await using server = await startGrpcioServer(answer, 60);
    const told: (string | undefined)[] = [];
    using client = clientOf(server.url, { onReach: (_service, why) => told.push(why) });
    expect(await client.call(callOf({}, 90_000), never)).toEqual({ resultJson: '"late"' });
    expect(told).toEqual([]);
  }, 100_000);
});
