import { create } from "@bufbuild/protobuf";
import { createClient, createRouterTransport, type Interceptor } from "@connectrpc/connect";
import { expect, it } from "vitest";
import {
  Health,
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus as Status,
} from "../../../gen/es/health/v1/health_pb.ts";
import { around } from "../../../src/server/interceptors/around.ts";

const message = create(HealthCheckRequestSchema);

function recorder() {
  const steps: string[] = [];
  const interceptor: Interceptor = around(() => ({
    onError: (error) => {
      steps.push(`error ${(error as Error).message}`);
      return error;
    },
    onSuccess: (trailer) => {
      steps.push("success");
      trailer.set("x-layer", "yes");
    },
    close: () => steps.push("close"),
  }));
  return { steps, interceptor };
}

function client(interceptor: Interceptor, fails: boolean) {
  const transport = createRouterTransport(
    ({ service }) => {
      service(Health, {
        check() {
          if (fails) throw new Error("no");
          return { status: Status.SERVING };
        },
        async *watch() {
          yield { status: Status.SERVING };
          if (fails) throw new Error("no");
          yield { status: Status.NOT_SERVING };
        },
      });
    },
    { router: { interceptors: [interceptor] } },
  );
  return createClient(Health, transport);
}

it.each([
  ["unary", false, ["success", "close"]],
  ["unary", true, ["error no", "close"]],
  ["stream", false, ["success", "close"]],
  ["stream", true, ["error no", "close"]],
])("surrounds a %s call (failing: %s)", async (kind, fails, expected) => {
  const { steps, interceptor } = recorder();
  let trailer: Headers | undefined;
  const onTrailer = (headers: Headers) => {
    trailer = headers;
  };
  const health = client(interceptor, fails);
  const call = async () => {
    if (kind === "unary") await health.check(message, { onTrailer });
    else for await (const _ of health.watch(message, { onTrailer }));
  };
  if (fails) await expect(call()).rejects.toThrow();
  else await call();
  expect(steps).toEqual(expected);
  if (!fails) expect(trailer?.get("x-layer")).toBe("yes");
});

it("closes a stream that was never read", async () => {
  const { steps, interceptor } = recorder();
  const run = interceptor(
    async (req) =>
      ({ ...req, stream: true, header: new Headers(), trailer: new Headers() }) as never,
  );
  const request = { stream: true, message: (async function* () {})() };
  const response = await run(request as never);
  await (response.message as AsyncIterable<unknown>)[Symbol.asyncIterator]().return?.();
  expect(steps).toEqual(["close"]);
});
