#!/usr/bin/env python3
"""Uses leasecheck's reference store as a test double, from a test in another language: test_double.py path/to/leasecheck"""
import json
import subprocess
import sys


class Double:
    """One reference store with a clock of the test's own."""

    def __init__(self, leasecheck):
        command = [leasecheck, "serve", "--family", "session_store", "--backend", "memory"]
        self.server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.call("initialize", protocol=1, family="session_store")

    def call(self, method, **params):
        print(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}), file=self.server.stdin, flush=True)
        answer = json.loads(self.server.stdout.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["result"]

    def close(self):
        self.call("shutdown")
        self.server.communicate()
        return self.server.returncode


def main(leasecheck):
    double = Double(leasecheck)
    double.call("reset", now_ms=1000)
    me = {"owner_id": "worker", "incarnation_id": "1", "liveness": {"kind": "opaque"}}
    lane = double.call("try_claim_session_execution_lease", session_id="s", owner=me, lease_ttl_ms=60000)["Acquired"]
    fence = {name: lane[name] for name in ("session_id", "owner", "lease_token", "fencing_token")}
    double.call("enqueue_queued_work", batch={
        "session_id": "s", "delivery_policy": "earliest_safe_boundary", "slot_policy": "exclusive", "merge_key": "never",
        "available_at_ms": 0, "payloads": [{"type": "process_wake", "wake": {"reason": "timer"}}]})

    def claim():
        return double.call("claim_ready_queued_work", session_id="s", session_execution_lease=fence, owner=me, boundary="idle",
                           lease_ttl_ms=500, max_batches=1)

    first = claim()
    assert first["expires_at_epoch_ms"] == 1500
    assert claim() is None, "a live claim is exclusive"
    double.call("set_clock", now_ms=1500)  # the worker of the code under test is late
    assert claim()["fencing_token"] > first["fencing_token"], "a lapsed claim is taken over, fenced"
    assert double.close() == 0
    print("ok")


if __name__ == "__main__":
    main(sys.argv[1])
