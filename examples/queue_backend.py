#!/usr/bin/env python3
"""How to check a store that is written in Python: the program between leasecheck and the store.

    leasecheck check --backend "process:exec python3 examples/queue_backend.py"

A request a line comes in on stdin, an answer a line goes out on stdout (docs/PROTOCOL.md). The
store here is queue_store.Store. For one of your own, change OPERATIONS, open_store() and, if its
methods have other names, arguments or errors than the contract's, call().
"""
import inspect
import json
import sys

import queue_store

# What is offered; an operation that is left out is not checked.
OPERATIONS = """
    enqueue_queued_work claim_leading_ready_session_command claim_ready_queued_work
    claim_ready_queued_work_by_batch_ids renew_queued_work_claim abandon_queued_work_claim
    cancel_queued_work_batch list_queued_work list_pending_queued_work
    try_claim_session_execution_lease reclaim_session_execution_lease
    renew_session_execution_lease release_session_execution_lease commit_runtime_state
    load_session enqueue_pending_turn_input list_pending_turn_inputs
    cancel_pending_turn_inputs cancel_pending_turn_input cancel_pending_turn_input_suffix
    claim_active_turn_inputs claim_next_turn_inputs abandon_turn_input_claim vacuum
""".split()

INFO = {
    "protocol": 1,
    "name": "queue_store",
    "version": "1",
    "families": ["session_store"],
    "operations": OPERATIONS,
    "clock": "virtual",  # the store takes its time from reset and set_clock only
    "concurrency": 1,  # how many calls may be open at once
    "durable": False,  # if it were, there would be "reopen" below, and the harness would kill us
}

PARSE_ERROR, NO_METHOD, BAD_PARAMS, CONTRACT_ERROR = -32700, -32601, -32602, -32000


class Fault(Exception):
    """What a call is answered with in place of a result."""

    def __init__(self, code, message, **more):
        super().__init__(message)
        self.error = {"code": code, "message": message, **more}


class Clock:
    def __init__(self):
        self.now_ms = 0

    def __call__(self):
        return self.now_ms


def open_store(clock):
    """An empty store that takes its time, in milliseconds since 1970, from clock()."""
    return queue_store.Store(clock)


def call(store, method, params):
    """The result of an operation: None is null, and what returns nothing is {}."""
    operation = getattr(store, method)
    try:
        inspect.signature(operation).bind(**params)
    except TypeError as mismatch:
        raise Fault(BAD_PARAMS, str(mismatch)) from mismatch
    try:
        return operation(**params)
    except queue_store.Refused as refused:
        data = {"error": refused.error, **refused.fields}
        raise Fault(CONTRACT_ERROR, "refused", data=data) from refused


class Backend:
    def __init__(self):
        self.clock = Clock()
        self.store = open_store(self.clock)

    def answer(self, method, params):
        if method in OPERATIONS:
            return call(self.store, method, params)
        if method == "initialize":
            return INFO
        if method in ("reset", "set_clock"):
            self.clock.now_ms = params["now_ms"]
        elif method != "shutdown":
            raise Fault(NO_METHOD, f"there is no method {method}")
        if method == "reset":
            self.store = open_store(self.clock)
        return {}


def serve():
    backend = Backend()
    for line in sys.stdin.buffer:
        request = {"id": None, "method": None}
        try:
            request = json.loads(line)
            outcome = {"result": backend.answer(request["method"], request.get("params", {}))}
        except ValueError as error:
            outcome = {"error": {"code": PARSE_ERROR, "message": str(error)}}
        except Fault as fault:
            outcome = {"error": fault.error}
        print(json.dumps({"jsonrpc": "2.0", "id": request["id"], **outcome}), flush=True)
        if request["method"] == "shutdown":
            break


if __name__ == "__main__":
    serve()
