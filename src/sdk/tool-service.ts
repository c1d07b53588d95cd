import { create, type JsonObject as WireJsonObject } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { ToolDeclarationSchema } from "../../gen/es/codemode/v1/tool_pb.ts";
import {
  type CallToolRequest,
  CallToolResponseSchema,
  type ToolService,
} from "../../gen/es/codemode/v1/tool_service_pb.ts";
import { onAbort } from "../shared/abort.ts";
import { CodemodeError } from "../shared/errors.ts";
import type { ToolAnswer } from "../shared/model.ts";
import { toConnectError } from "../shared/status.ts";
import { toToolDeclarationMessage, toToolResultMessage } from "../shared/wire/tool.ts";
import { type ContextVariables, inContext, sealContext } from "./context.ts";
import type { RunnableTool } from "./runnable-tool.ts";

/** What a tool service stands on. */
export interface ToolServiceDeps {
  /** The tools as they are now. */
  readonly tools: () => ReadonlyMap<string, RunnableTool>;
  /** Longest JSON text of a result, bytes. */
  readonly maxBytes: number;
}

/** The RPCs of `codemode.v1.ToolService`, answered by the application's own tools. */
export function createToolService({
  tools,
  maxBytes,
}: ToolServiceDeps): ServiceImpl<typeof ToolService> {
  return {
    async listTools({ includeSchemas }) {
      const declared = await Promise.all([...tools().values()].map((tool) => tool.declare()));
      const messages = declared.map(toToolDeclarationMessage);
      if (includeSchemas) return { tools: messages };
      const bare = { inputSchemaJson: "", outputSchemaJson: "" };
      return {
        tools: messages.map((tool) => create(ToolDeclarationSchema, { ...tool, ...bare })),
      };
    },

    async getToolSchema({ name }) {
      const tool = await find(tools(), name).declare();
      return { tool: toToolDeclarationMessage(tool) };
    },

    async callTool(request, { signal }) {
      const tool = find(tools(), request.tool);
      const { result } = toToolResultMessage({
        callId: request.callId,
        ...(await call(tool, request, signal, maxBytes)),
      });
      return create(CallToolResponseSchema, { result });
    },
  };
}

/** Calls a tool under the execution's context; the call's end aborts the handler's signal. */
async function call(
  tool: RunnableTool,
  request: CallToolRequest,
  callSignal: AbortSignal,
  maxBytes: number,
): Promise<ToolAnswer> {
  const { executionId, callId, correlationId, argumentsJson } = request;
  const context = sealContext(toVariables(request.context));
  const controller = new AbortController();
  using _ = onAbort(callSignal, () => {
    const message = "the call was given up";
    controller.abort(new CodemodeError("cancelled", message, { executionId, correlationId }));
  });
  const { signal } = controller;
  const info = { context, signal, executionId, callId, correlationId };
  return await inContext(context, () => tool.run(argumentsJson, info, maxBytes));
}

function toVariables(context: WireJsonObject | undefined): ContextVariables {
  return context ?? {};
}

function find(tools: ReadonlyMap<string, RunnableTool>, name: string): RunnableTool {
  const tool = tools.get(name);
  if (tool !== undefined) return tool;
  const message = `there is no tool ${JSON.stringify(name.slice(0, 128))}`;
  throw toConnectError(new CodemodeError("not_found", message));
}
