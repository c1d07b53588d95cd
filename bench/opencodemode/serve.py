"""The executor of `opencodemode` as its package builds it, with its ToolService and no tools beside
it. Bound to loopback only: its own `serve` listens on every interface, and its key check does not hold."""

import asyncio
import importlib.metadata
import os
import sys

import grpc
from codemode.config.sidecar_config import SidecarConfig
from codemode.core.registry import ComponentRegistry
from codemode.executor.service import ExecutorGrpcService
from codemode.grpc.server import ToolService
from codemode.protos import codemode_pb2_grpc


async def main():
    tools = grpc.aio.server()
    codemode_pb2_grpc.add_ToolServiceServicer_to_server(ToolService(ComponentRegistry()), tools)
    os.environ["CODEMODE_MAIN_APP_TARGET"] = "127.0.0.1:%d" % tools.add_insecure_port("127.0.0.1:0")
    await tools.start()
    executor = grpc.aio.server()
    service = ExecutorGrpcService.from_config(SidecarConfig.from_env())
    codemode_pb2_grpc.add_ExecutorServiceServicer_to_server(service, executor)
    port = executor.add_insecure_port("127.0.0.1:0")
    await executor.start()
    print(port, importlib.metadata.version("opencodemode"), flush=True)
    await asyncio.to_thread(sys.stdin.read)  # until the bench closes it
    await executor.stop(0)
    await tools.stop(0)


asyncio.run(main())
