"""A stock grpcio client: calls come as lines of JSON, and their answers go out the same way."""

import base64
import json
import sys
import threading

import grpc

channels = {}
lock = threading.Lock()


def channel_of(target, config):
    with lock:
        if target not in channels:
            options = [
                ("grpc.enable_retries", 1),
                ("grpc.service_config", config),
                ("grpc.initial_reconnect_backoff_ms", 100),
                ("grpc.min_reconnect_backoff_ms", 100),
                ("grpc.max_reconnect_backoff_ms", 200),
            ]
            channels[target] = grpc.insecure_channel(target, options)
        return channels[target]


def call(ask):
    channel = channel_of(ask["target"], ask["config"])
    request = base64.b64decode(ask["request"])
    options = {"timeout": ask["timeout"], "wait_for_ready": True}
    code = "OK"
    responses = []
    try:
        if ask["stream"]:
            responses.extend(channel.unary_stream(ask["method"])(request, **options))
        else:
            responses.append(channel.unary_unary(ask["method"])(request, **options))
    except grpc.RpcError as error:
        code = error.code().name
    answer = {
        "id": ask["id"],
        "code": code,
        "responses": [base64.b64encode(response).decode() for response in responses],
    }
    with lock:
        print(json.dumps(answer), flush=True)


for line in sys.stdin:
    threading.Thread(target=call, args=(json.loads(line),), daemon=True).start()
