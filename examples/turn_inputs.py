"""The turn inputs of queue_store.Store: what the user says to the running turn, or to the next one.

The ids in brackets are the contract's clauses.
"""
ADMITS = {  # [TI-ACT-3] which min_boundary a checkpoint admits
    "after_work": {"after_work"},
    "before_completion": {"after_work", "before_completion"},
}
WAITING = {"pending_active", "deferred_next_turn"}
TERMINAL = {"cancelled": "already_cancelled", "completed": "already_completed"}


def without_nulls(value):
    return {name: member for name, member in value.items() if member is not None}


class TurnInputs:
    def __init__(self):
        self.inputs = []  # in order: a record, the ingress it was submitted with, its claim or None, their count
        self.input_ids = set()  # all that there ever were

    def log(self, session):
        return [row for row in self.inputs if row["record"]["session_id"] == session]

    def named(self, session, target):
        name = {"input_id": "input_id", "source_key": "source_key"}[target["kind"]]
        found = [row for row in self.log(session) if row["record"].get(name) == target["value"]]
        return found[0] if found else None

    def owned_inputs(self, claim):
        tokens = (claim["claim_id"], claim["lease_token"])
        held = [row for row in self.log(claim["session_id"]) if row["claim"]]
        return [row for row in held if (row["claim"]["claim_id"], row["claim"]["lease_token"]) == tokens]

    def grant_inputs(self, rows, state, mode, lane, owner, ttl):
        if not rows:
            return None
        claim = self.new_lease(lane["session_id"], owner, ttl, 1 + max(row["counter"] for row in rows))
        claim["claim_id"] = f"claim-{next(self.serial)}"
        for row in rows:
            row["claim"], row["counter"] = claim, claim["fencing_token"]
            row["record"]["state"] = state
        return {**claim, "mode": mode, "inputs": [row["record"] for row in rows]}

    def cancel(self, row):
        """[TI-CAN-5..9,12]"""
        if row is None:
            return {"outcome": "not_found"}
        record, claim = row["record"], row["claim"]
        if record["state"] in TERMINAL:
            return {"outcome": TERMINAL[record["state"]], "data": record}
        if record["state"] in WAITING and not self.live(claim):
            record["state"], row["claim"] = "cancelled", None
            return {"outcome": "cancelled", "data": dict(record)}
        diagnostics = {
            "state": record["state"],
            "claim_id": claim["claim_id"],
            "claim_owner": claim["owner"],
            "claim_expires_at_ms": claim["expires_at_epoch_ms"],
            "claim_fencing_token": row["counter"],
        }
        return {"outcome": "already_claimed", "data": {"input": record, "claim": diagnostics}}

    # What a commit does. The first may refuse, and changes nothing.

    def check_input_completions(self, session, completions, refuse):
        done = []
        for completion in completions:
            mine = {row["record"]["input_id"] for row in self.owned_inputs(completion)}
            done += completion["input_ids"]
            owned = completion["session_id"] == session and mine.issuperset(completion["input_ids"])
            if not owned or len(set(done)) < len(done):
                raise refuse(completion)
        return done

    def settle_inputs(self, session, done, interrupted):
        for row in self.log(session):
            record = row["record"]
            if record["input_id"] in done:
                record["state"], row["claim"] = "completed", None
            elif record["state"] == "pending_active" and record["ingress"]["turn_id"] == interrupted:
                record["state"], record["ingress"] = "deferred_next_turn", {"scope": "next_turn"}

    # The operations.

    def enqueue_pending_turn_input(self, input):  # pylint: disable=redefined-builtin
        session, key = input["session_id"], input.get("source_key")
        bound = key is not None and self.named(session, {"kind": "source_key", "value": key})
        if bound:  # [TI-ENQ-6..11,16]
            same = without_nulls(bound["record"]["input"]) == without_nulls(input["input"])
            if same and bound["asked"] == input["ingress"]:
                return bound["record"]
            raise self.refused(
                "PendingTurnInputSourceKeyConflict",
                session_id=session,
                source_key=key,
                existing_input_id=bound["record"]["input_id"],
            )
        input_id = input.get("input_id")
        if any(row["record"]["input_id"] == input_id for row in self.inputs):  # [TI-ENQ-14]
            raise self.refused("Backend", text="the id is taken")
        while input_id is None or input.get("input_id") is None and input_id in self.input_ids:
            input_id = f"input-{next(self.serial)}"
        self.input_ids.add(input_id)
        active = input["ingress"]["scope"] == "active_turn"
        record = {
            **without_nulls(input),
            "input_id": input_id,
            "enqueue_seq": next(self.serial),
            "state": "pending_active" if active else "deferred_next_turn",
            "enqueued_at_ms": self.now,
        }
        self.inputs.append({"record": record, "asked": input["ingress"], "claim": None, "counter": 0})
        return record

    def list_pending_turn_inputs(self, session_id):
        rows = [row for row in self.log(session_id) if row["record"]["state"] in WAITING]
        return [row["record"] for row in rows if not self.live(row["claim"])]

    def cancel_pending_turn_inputs(self, session_id, targets):
        return [
            {"target": target, "outcome": self.cancel(self.named(session_id, target))} for target in targets
        ]

    def cancel_pending_turn_input(self, session_id, input_id):
        return self.cancel(self.named(session_id, {"kind": "input_id", "value": input_id}))

    def cancel_pending_turn_input_suffix(self, session_id, anchor):
        first = self.named(session_id, anchor)
        if first is None:
            return {"outcome": "anchor_not_found", "data": {"anchor": anchor}}
        suffix = self.log(session_id)
        suffix = suffix[suffix.index(first) :]
        outcomes = [self.cancel(row) for row in suffix]
        return {"outcome": "outcomes", "data": {"anchor": anchor, "outcomes": outcomes}}

    def claim_active_turn_inputs(
        self, session_id, session_execution_lease, owner, turn_id, checkpoint, lease_ttl_ms, max_inputs
    ):
        if max_inputs == 0:
            return None
        self.check_lane(session_id, session_execution_lease)

        def admitted(record):
            ingress = record["ingress"]
            mine = record["state"] == "pending_active" and ingress["turn_id"] == turn_id
            return mine and ingress["min_boundary"] in ADMITS[checkpoint]

        rows = [row for row in self.log(session_id) if admitted(row["record"])][:max_inputs]
        mode = {"kind": "active_turn", "turn_id": turn_id, "checkpoint": checkpoint}
        return self.grant_inputs(rows, "accepted", mode, session_execution_lease, owner, lease_ttl_ms)

    def claim_next_turn_inputs(self, session_id, session_execution_lease, owner, lease_ttl_ms, max_inputs):
        if max_inputs == 0:
            return None
        self.check_lane(session_id, session_execution_lease)

        def free(claim):
            return not self.live(claim) or self.dead(claim["owner"], owner)

        waiting = [row for row in self.log(session_id) if row["record"]["state"] == "deferred_next_turn"]
        rows = [row for row in waiting if free(row["claim"])][:max_inputs]
        state, mode = "deferred_next_turn", {"kind": "next_turn"}
        return self.grant_inputs(rows, state, mode, session_execution_lease, owner, lease_ttl_ms)

    def abandon_turn_input_claim(self, claim):
        for row in self.owned_inputs(claim):
            row["claim"] = None
            if row["record"]["state"] == "accepted":
                row["record"]["state"] = "pending_active"
        return {}

    def vacuum(self):
        kept = [row for row in self.inputs if row["record"]["state"] not in TERMINAL]
        removed, self.inputs = len(self.inputs) - len(kept), kept
        return {"removed_node_count": 0, "removed_pending_turn_input_tombstone_count": removed}
