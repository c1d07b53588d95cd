"""A stock gRPC server of grpcio: answers every unary call with the given bytes after the given seconds.

Arguments: the answer, base64; seconds. Prints its port.
"""

import base64
import concurrent.futures
import sys
import time

import grpc

ANSWER = base64.b64decode(sys.argv[1])
SECONDS = float(sys.argv[2])


class Everything(grpc.GenericRpcHandler):
    def service(self, _call):
        def answer(_request, _context):
            time.sleep(SECONDS)
            return ANSWER

        return grpc.unary_unary_rpc_method_handler(answer)


server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
server.add_generic_rpc_handlers((Everything(),))
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
sys.stdin.read()
server.stop(None)
