#!/usr/bin/env python3
"""The least that a store of the family runtime_persistence has to have, in one file.

    leasecheck check --family runtime_persistence --backend "process:exec python3 examples/minimal_backend.py"

It has the contract's eight required methods, answers the nine provided ones as their defaults do (no queue),
and makes nothing of attachments; it says so in "dialects". A request a line comes in on stdin, an answer a line
goes out on stdout (docs/PROTOCOL.md). The ids in brackets are the contract's clauses.
"""
import json
import sys

INFO = {
    "protocol": 1,
    "name": "minimal",
    "version": "1",
    "families": ["runtime_persistence"],
    "clock": "virtual",  # nothing here asks for the time
    "concurrency": 1,
    "durable": False,
    "dialects": {"RP-DEF": "default", "AM-NOP-1": "noop"},
}

PARSE_ERROR, NO_METHOD, BAD_PARAMS, CONTRACT_ERROR = -32700, -32601, -32602, -32000
OPERATIONS = """load_session load_node commit_runtime_state save_session_meta load_session_meta tombstone_nodes
vacuum gc_unreachable durability_tier enqueue_queued_work claim_ready_queued_work claim_ready_queued_work_by_batch_ids
renew_queued_work_claim abandon_queued_work_claim cancel_queued_work_batch list_queued_work list_pending_queued_work
record_intent commit_refs list_uncommitted forget""".split()
COUNTERS = ("input_tokens", "output_tokens", "cached_input_tokens", "reasoning_tokens")
MANIFEST = ("turn_state", "tool_state_ref", "plugin_snapshot_ref", "plugin_snapshot_revision", "execution_state_ref")


class Refused(Exception):
    """An error that the contract names, with its fields."""

    def __init__(self, error, **fields):
        super().__init__(error)
        self.data = {"error": error, **fields}


class Store:
    """The required methods: they take the contract's arguments and return its values, as dicts and lists."""

    def __init__(self):
        self.head = None  # what load_session returns, but for the graph's nodes
        self.nodes = {}  # id -> node, in the order of storage
        self.hidden = set()  # the ids of tombstoned nodes
        self.turns = {}  # (session, turn) -> (hash, result)
        self.meta = None

    def live(self, node_id):
        return None if node_id in self.hidden else self.nodes.get(node_id)

    def path(self, leaf):
        """Root first; ends at a parent that is not there, or that is on the path already. [RP-LDS-5..9,11]"""
        found = {}
        node = self.live(leaf)
        while node and node["node_id"] not in found:
            found[node["node_id"]] = node
            node = self.live(node.get("parent_node_id"))
        return list(reversed(found.values()))

    def load_session(self, scope):
        if not self.head:
            return None
        leaf = self.head["graph"]["leaf_node_id"]
        if scope == "FullGraph":
            nodes = [node for node in self.nodes.values() if self.live(node["node_id"])]
        else:
            asked = scope["ActivePath"].get("leaf_node_id")
            leaf = leaf if asked is None else asked
            nodes = self.path(leaf)
        return {**self.head, "graph": {"nodes": nodes, "leaf_node_id": leaf}}

    def load_node(self, node_id):
        return self.live(node_id)

    def commit_runtime_state(self, commit):
        """All checks, in the contract's order, then all changes."""
        session, stamp = commit["session_id"], commit.get("turn_commit")
        if self.head and self.head["session_id"] != session:  # [RP-CMT-2]
            bound = self.head["session_id"]
            raise Refused("SessionBindingMismatch", bound_session_id=bound, attempted_session_id=session)
        turn = stamp and (stamp["session_id"], stamp["turn_id"])
        done_hash, result = self.turns.get(turn, (None, None))
        if stamp and (turn[0] != session or result and done_hash != stamp["turn_commit_hash"]):  # [RP-CMT-7,9]
            raise Refused("RuntimeTurnCommitConflict", session_id=turn[0], turn_id=turn[1])
        if result:  # [RP-CMT-8]
            return result
        revision, expected = self.head["head_revision"] if self.head else 0, commit.get("expected_head_revision")
        if expected is not None and expected != revision:  # [RP-CMT-5]
            raise Refused("HeadRevisionConflict", expected=expected, actual=revision)
        for claim in commit["completed_queue_claims"]:  # there is no queue, so nobody was ever granted one
            raise Refused("QueuedWorkClaimExpired", session_id=claim["session_id"], claim_id=claim["claim_id"])
        nodes, hidden, leaf = self.changed_graph(commit["graph"])

        self.nodes, self.hidden = nodes, hidden
        result = self.advance(commit, revision + 1, leaf)
        if stamp:
            self.turns[turn] = (stamp["turn_commit_hash"], result)
        return result

    def changed_graph(self, delta):
        """The nodes, the tombstoned ids and the leaf after the delta. [RP-CMT-13..17]"""
        ((kind, change),) = delta.items()
        added = change.get("nodes", [])
        ids = {node["node_id"] for node in added}
        kept = {} if kind == "ReplaceFull" else {i: n for i, n in self.nodes.items() if i not in ids & self.hidden}
        if len(ids) < len(added) or ids & kept.keys():
            raise Refused("Backend", text="a node is in the graph already, or twice in the commit")
        nodes = {**kept, **{node["node_id"]: node for node in added}}
        return nodes, self.hidden & kept.keys(), change.get("leaf_node_id")

    def advance(self, commit, revision, leaf):
        ledger = self.head["token_ledger"] if self.head else []
        checkpoint = commit["checkpoint"]
        self.head = {
            "session_id": commit["session_id"],
            "head_revision": revision,
            "config": commit["config"],
            "agent_frames": commit["agent_frames"],
            "current_agent_frame_id": commit["current_agent_frame_id"],
            "graph": {"leaf_node_id": leaf},
            "checkpoint_ref": f"checkpoint-{revision}",
            "checkpoint": checkpoint,
            "token_ledger": added_up(ledger + commit["usage_deltas"]),
        }
        manifest = {name: checkpoint[name] for name in MANIFEST if name in checkpoint}
        return {"head_revision": revision, "checkpoint_ref": f"checkpoint-{revision}", "manifest": manifest}

    def save_session_meta(self, meta):
        self.meta = meta
        return {}

    def load_session_meta(self):
        return self.meta

    def tombstone_nodes(self, ids):
        self.hidden |= self.nodes.keys() & set(ids)
        return {}

    def vacuum(self):
        removed = len(self.hidden)
        self.nodes = {i: node for i, node in self.nodes.items() if i not in self.hidden}
        self.hidden = set()
        return {"removed_node_count": removed}

    def gc_unreachable(self):  # snapshots lie in the checkpoint itself, and go with it
        return {"root_count": 0, "retained_blob_count": 0, "deleted_blob_count": 0}


def added_up(entries):
    """One entry a source and model, in the order of the first that counts. [RP-CMT-18,19]"""
    sums = {}
    for entry in entries:
        if any(entry["usage"].values()):
            total = sums.setdefault((entry["source"], entry["model"]), dict.fromkeys(COUNTERS, 0))
            for counter in COUNTERS:
                total[counter] += entry["usage"][counter]
    return [{"source": source, "model": model, "usage": usage} for (source, model), usage in sums.items()]


class Minimal(Store):
    """The provided methods as the trait has them, and an attachment manifest that keeps nothing."""

    def durability_tier(self):  # [RP-DEF-1]
        return "Inline"

    def enqueue_queued_work(self, batch):  # [RP-DEF-2]
        raise Refused("Backend", text=f"no queue: {batch['session_id']} has to keep its work")

    def claim_ready_queued_work(self, session_id, **_):  # [RP-DEF-3]
        raise Refused("Backend", text=f"no queue for {session_id}")

    def claim_ready_queued_work_by_batch_ids(self, session_id, batch_ids, **_):  # [RP-DEF-4]
        return self.claim_ready_queued_work(session_id) if batch_ids else None

    def renew_queued_work_claim(self, claim, **_):  # [RP-DEF-5]
        raise Refused("QueuedWorkClaimExpired", session_id=claim["session_id"], claim_id=claim["claim_id"])

    def nothing(self, **_):
        return {}

    def none(self, **_):
        return None

    def empty(self, **_):
        return []

    abandon_queued_work_claim = record_intent = commit_refs = forget = nothing  # [RP-DEF-6, AM-NOP-1]
    cancel_queued_work_batch = none  # [RP-DEF-7]
    list_queued_work = list_pending_queued_work = list_uncommitted = empty  # [RP-DEF-8,9, AM-NOP-1]


class Backend:
    def __init__(self):
        self.store = Minimal()

    def answer(self, method, params):
        if method == "initialize":
            return {"result": INFO}
        if method in ("set_clock", "shutdown"):
            return {"result": {}}
        if method == "reset":
            self.store = Minimal()
            return {"result": {}}
        if method not in OPERATIONS:
            return {"error": {"code": NO_METHOD, "message": f"there is no method {method}"}}
        try:
            return {"result": getattr(self.store, method)(**params)}
        except Refused as refused:
            return {"error": {"code": CONTRACT_ERROR, "message": "refused", "data": refused.data}}
        except (TypeError, KeyError) as mismatch:
            return {"error": {"code": BAD_PARAMS, "message": str(mismatch)}}


def serve():
    backend = Backend()
    for line in sys.stdin.buffer:
        try:
            request = json.loads(line)
        except ValueError as error:
            request = {"id": None, "method": None}
            outcome = {"error": {"code": PARSE_ERROR, "message": str(error)}}
        else:
            outcome = backend.answer(request["method"], request.get("params", {}))
        print(json.dumps({"jsonrpc": "2.0", "id": request["id"], **outcome}), flush=True)
        if request["method"] == "shutdown":
            break


if __name__ == "__main__":
    serve()
