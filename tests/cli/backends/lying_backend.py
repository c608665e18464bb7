"""Backends that misbehave in one way each: lying_backend.py HOW. All speak just enough of PROTOCOL.md to get that far."""
import json
import os
import sys
import time

how = sys.argv[1]


def answer(request, result):
    print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}), flush=True)


for line in sys.stdin:
    request = json.loads(line)
    method = request["method"]
    if method == "initialize":
        if how == "silent":
            time.sleep(3600)
        answer(request, {"protocol": 2 if how == "version" else 1, "name": "lying", "version": "1", "families": ["session_store"],
                         "clock": "virtual", "concurrency": 1, "durable": False,
                         "dialects": {"NO-SUCH-1": "x"} if how == "dialect" else {}})
    elif method in ("reset", "set_clock", "shutdown"):
        answer(request, {})
        if method == "shutdown":
            sys.exit(0)
    elif how == "dies":
        print("about to fall over", file=sys.stderr)
        os._exit(3)
    elif how == "hangs":
        time.sleep(3600)
    elif how == "rubbish":
        print("Traceback (most recent call last):", flush=True)
    elif how == "twice":
        for _ in range(2):
            print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32001, "message": "?"}}), flush=True)
    elif how == "wrong_id":
        answer({"id": request["id"] + 1000}, [])
    elif how == "unsupported":
        print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32601, "message": "no"}}), flush=True)
    elif how == "indefinite":
        print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32001, "message": "?"}}), flush=True)
    elif how == "empty":  # nothing is ever there
        answer(request, [] if method.startswith("list_") else None)
