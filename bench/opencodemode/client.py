"""Times `result = 2 + 2` by the client of `opencodemode`; prints milliseconds as a JSON array."""

import json
import os
import sys
import time

from codemode.core.executor_client import ExecutorClient

client = ExecutorClient("http://127.0.0.1:" + sys.argv[1], os.environ["CODEMODE_API_KEY"])


def call():
    start = time.perf_counter()
    result = client.execute("result = 2 + 2", available_tools=[], config={})
    if not result.success or result.result != "4":
        raise SystemExit("2 + 2 gave %r" % (result,))
    return (time.perf_counter() - start) * 1000


for _ in range(5):
    call()
print(json.dumps([call() for _ in range(int(sys.argv[2]))]))
