import { create, toBinary } from "@bufbuild/protobuf";
import { fileDesc, type GenService, serviceDesc } from "@bufbuild/protobuf/codegenv2";
import { base64Encode } from "@bufbuild/protobuf/wire";
import {
  FileDescriptorProtoSchema,
  file_google_protobuf_wrappers,
  type StringValueSchema,
} from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";

const message = ".google.protobuf.StringValue";

const descriptor = create(FileDescriptorProtoSchema, {
  name: "bench/echo.proto",
  package: "codemode.bench",
  syntax: "proto3",
  dependency: ["google/protobuf/wrappers.proto"],
  service: [
    {
      name: "EchoService",
      method: [
        { name: "Echo", inputType: message, outputType: message },
        {
          name: "EchoStream",
          inputType: message,
          outputType: message,
          clientStreaming: true,
          serverStreaming: true,
        },
      ],
    },
  ],
});

type Echo<K extends "unary" | "bidi_streaming"> = {
  methodKind: K;
  input: typeof StringValueSchema;
  output: typeof StringValueSchema;
};

/** Gives back what it gets: the least that an RPC can cost. Made here, since no proto of ours has it. */
export const EchoService: GenService<{ echo: Echo<"unary">; echoStream: Echo<"bidi_streaming"> }> =
  serviceDesc(
    fileDesc(base64Encode(toBinary(FileDescriptorProtoSchema, descriptor)), [
      file_google_protobuf_wrappers,
    ]),
    0,
  );

/** Mounts the echo. */
export function echoRoutes(router: ConnectRouter): void {
  router.service(EchoService, {
    echo: (text) => text,
    async *echoStream(texts) {
      yield* texts;
    },
  });
}
