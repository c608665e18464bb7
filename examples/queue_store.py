"""A store of the family session_store in memory, to be checked through queue_backend.py.

The ids in brackets are the contract's clauses.
"""
import itertools

from turn_inputs import TurnInputs

SETTLEMENT_FIELDS = {  # of a commit; all else is its body
    "session_id",
    "expected_head_revision",
    "session_execution_lease",
    "release_session_execution_lease",
    "turn_commit",
    "completed_queue_claims",
    "completed_turn_input_claims",
    "interrupted_turn_input_turn_id",
}


class Refused(Exception):
    """An error that the contract names, with its fields."""

    def __init__(self, error, **fields):
        super().__init__(error)
        self.error, self.fields = error, fields


def claim_expired(claim):
    session_id, claim_id = claim["session_id"], claim["claim_id"]
    return Refused("QueuedWorkClaimExpired", session_id=session_id, claim_id=claim_id)


def input_claim_expired(claim):
    session_id, claim_id = claim["session_id"], claim["claim_id"]
    return Refused("TurnInputClaimExpired", session_id=session_id, claim_id=claim_id)


def equal(a, b, *names):
    return all(a[name] == b[name] for name in names)


def same_incarnation(a, b):
    return equal(a, b, "owner_id", "incarnation_id")


def dead(holder, claimant):
    """Whether the holder is a process of the claimant's host and boot that runs no longer."""
    its, mine = holder["liveness"], claimant["liveness"]
    if "opaque" in (its["kind"], mine["kind"]) or not equal(its, mine, "host_id", "boot_id"):
        return False
    try:
        with open(f"/proc/{its['pid']}/stat", encoding="utf-8") as stat:
            return stat.read().rpartition(")")[2].split()[19] != its["process_start"]
    except FileNotFoundError:
        return True
    except (OSError, ValueError, IndexError):
        return False  # nobody can tell


class Store(TurnInputs):
    """Its operations take the contract's arguments and return its values, as dicts and lists."""

    refused = Refused
    dead = staticmethod(dead)

    def __init__(self, clock):
        super().__init__()
        self.clock = clock
        self.serial = itertools.count(1)
        self.rows = []  # in order: a batch, its payloads' types, its claim or None, their count
        self.lanes = {}  # session -> lease
        self.fences = {}  # session -> the last fencing token, which outlives the lease
        self.loaded = None  # what load_session returns
        self.stamps = {}  # (session, turn) -> (hash, result)

    @property
    def now(self):
        return self.clock()

    def live(self, lease):
        return lease is not None and lease["expires_at_epoch_ms"] > self.now

    def expiry(self, ttl):
        return {"expires_at_epoch_ms": min(self.now + ttl, 2**64 - 1)}

    def new_lease(self, session, owner, ttl, fencing_token):
        return {
            "session_id": session,
            "owner": owner,
            "lease_token": f"token-{next(self.serial)}",
            "fencing_token": fencing_token,
            "claimed_at_epoch_ms": self.now,
            **self.expiry(ttl),
        }

    def queue(self, session):
        return [row for row in self.rows if row["batch"]["session_id"] == session]

    def owned(self, claim):
        claimed = [row for row in self.queue(claim["session_id"]) if row["claim"]]
        return [row for row in claimed if equal(row["claim"], claim, "claim_id", "lease_token")]

    def matching_lane(self, fence):
        lane = self.lanes.get(fence["session_id"])
        exact = (
            lane
            and equal(lane, fence, "lease_token", "fencing_token")
            and same_incarnation(lane["owner"], fence["owner"])
        )
        return lane if exact else None

    def check_lane(self, session, fence):
        if not fence or fence["session_id"] != session or not self.live(self.matching_lane(fence)):
            raise Refused("SessionExecutionLeaseExpired", session_id=session)

    def acquire(self, session, owner, ttl):
        self.fences[session] = self.fences.get(session, 0) + 1
        self.lanes[session] = self.new_lease(session, owner, ttl, self.fences[session])
        return {"Acquired": self.lanes[session]}

    def candidates(self, session, fence, owner):
        self.check_lane(session, fence)
        ready = [row for row in self.queue(session) if row["batch"]["available_at_ms"] <= self.now]

        def free(claim):
            return not self.live(claim) or dead(claim["owner"], owner)

        found = [row for row in ready if free(row["claim"])]
        if any(len(row["kinds"]) != 1 for row in found):  # [QW-CLM-17]
            raise Refused("Backend", text="a batch without a class is in the way")
        return found

    def leading_group(self, session, fence, owner, boundary, most):
        """The turn work that a claim takes. [QW-CLM-3..9]"""
        found = self.candidates(session, fence, owner)
        if not found or found[0]["kinds"] != {"process_wake"}:
            return []
        head = found[0]["batch"]
        early = head["delivery_policy"] == "earliest_safe_boundary"
        if boundary == "active_turn_checkpoint" and not early:
            return []
        if head["slot_policy"] == "exclusive":
            return found[:1]

        def joins(row):
            alike = equal(row["batch"], head, "slot_policy", "delivery_policy", "merge_key")
            return alike and row["kinds"] == {"process_wake"}

        return list(itertools.takewhile(joins, found))[:most]

    def grant(self, session, owner, ttl, rows):
        if not rows:
            return None
        claim = self.new_lease(session, owner, ttl, 1 + max(row["counter"] for row in rows))
        claim["claim_id"] = f"claim-{next(self.serial)}"
        for row in rows:
            row["claim"], row["counter"] = dict(claim), claim["fencing_token"]
        return {**claim, "batches": [row["batch"] for row in rows]}

    # The operations.

    def enqueue_queued_work(self, batch):
        source_key = batch.get("source_key")
        for row in self.queue(batch["session_id"]):
            if source_key is not None and row["batch"].get("source_key") == source_key:
                return row["batch"]  # [QW-ENQ-4]
        seq, payloads = next(self.serial), batch["payloads"]
        stored = {name: value for name, value in batch.items() if name != "payloads"}
        stored["batch_id"] = f"batch-{seq}"
        stored["enqueue_seq"] = seq
        stored["enqueued_at_ms"] = self.now
        stored["items"] = [
            {"item_id": f"item-{seq}-{i}", "payload": payload} for i, payload in enumerate(payloads)
        ]
        kinds = {payload["type"] for payload in payloads}
        self.rows.append({"batch": stored, "kinds": kinds, "claim": None, "counter": 0})
        return stored

    def claim_leading_ready_session_command(
        self, session_id, session_execution_lease, owner, lease_ttl_ms
    ):
        head = self.candidates(session_id, session_execution_lease, owner)[:1]
        command = [row for row in head if row["kinds"] == {"session_command"}]
        return self.grant(session_id, owner, lease_ttl_ms, command)

    def claim_ready_queued_work(
        self, session_id, session_execution_lease, owner, boundary, lease_ttl_ms, max_batches
    ):
        if max_batches == 0:
            return None
        rows = self.leading_group(session_id, session_execution_lease, owner, boundary, max_batches)
        return self.grant(session_id, owner, lease_ttl_ms, rows)

    def claim_ready_queued_work_by_batch_ids(
        self, session_id, session_execution_lease, owner, boundary, lease_ttl_ms, batch_ids
    ):
        if not batch_ids:
            return None
        rows = self.leading_group(
            session_id, session_execution_lease, owner, boundary, len(batch_ids)
        )
        exact = [row["batch"]["batch_id"] for row in rows] == batch_ids
        return self.grant(session_id, owner, lease_ttl_ms, rows if exact else [])

    def renew_queued_work_claim(self, claim, lease_ttl_ms):
        owned = self.owned(claim)
        if not owned or len(owned) != len(claim["batches"]):
            raise claim_expired(claim)
        for row in owned:
            row["claim"].update(self.expiry(lease_ttl_ms))
        return {**claim, **self.expiry(lease_ttl_ms)}

    def abandon_queued_work_claim(self, claim):
        for row in self.owned(claim):
            row["claim"] = None
        return {}

    def cancel_queued_work_batch(self, session_id, batch_id):
        for row in self.queue(session_id):
            if row["batch"]["batch_id"] == batch_id and not self.live(row["claim"]):
                self.rows.remove(row)
                return row["batch"]
        return None

    def list_queued_work(self, session_id):
        return [row["batch"] for row in self.queue(session_id)]

    def list_pending_queued_work(self, session_id):
        return [row["batch"] for row in self.queue(session_id) if not self.live(row["claim"])]

    def try_claim_session_execution_lease(self, session_id, owner, lease_ttl_ms):
        lane = self.lanes.get(session_id)
        if not self.live(lane):
            return self.acquire(session_id, owner, lease_ttl_ms)
        if not same_incarnation(lane["owner"], owner):
            return {"Busy": {"holder": lane}}
        lane.update(self.expiry(lease_ttl_ms))
        return {"Acquired": lane}

    def reclaim_session_execution_lease(self, session_id, owner, observed_holder, lease_ttl_ms):
        lane = self.lanes.get(session_id)
        foreign = observed_holder["session_id"] != session_id
        observed = not foreign and self.matching_lane(observed_holder)
        if self.live(lane) and not (observed and dead(lane["owner"], owner)):
            return {"Busy": {"holder": lane}}
        return self.acquire(session_id, owner, lease_ttl_ms)

    def renew_session_execution_lease(self, fence, lease_ttl_ms):
        self.check_lane(fence["session_id"], fence)
        lane = self.lanes[fence["session_id"]]
        lane.update(self.expiry(lease_ttl_ms))
        return lane

    def release_session_execution_lease(self, completion):
        if self.matching_lane(completion):
            del self.lanes[completion["session_id"]]
        return {}

    def commit_runtime_state(self, commit):
        session, stamp = commit["session_id"], commit.get("turn_commit")
        if self.loaded and self.loaded["session_id"] != session:  # [SC-CMT-1]
            bound = self.loaded["session_id"]
            raise Refused(
                "SessionBindingMismatch", bound_session_id=bound, attempted_session_id=session
            )
        turn = stamp and (stamp["session_id"], stamp["turn_id"])
        done_hash, result = self.stamps.get(turn, (None, None))
        other = result and done_hash != stamp["turn_commit_hash"]
        if stamp and (stamp["session_id"] != session or other):  # [SC-CMT-2,4]
            session_id, turn_id = turn
            raise Refused("RuntimeTurnCommitConflict", session_id=session_id, turn_id=turn_id)
        if not result:  # else a replay [SC-CMT-3]
            result = self.settle(session, commit)
        if stamp:
            self.stamps[turn] = (stamp["turn_commit_hash"], result)
        release = commit.get("release_session_execution_lease")
        if release and release["session_id"] == session:
            self.release_session_execution_lease(release)
        return result

    def settle(self, session, commit):
        """Checks everything, then changes everything. [SC-CMT-5..11]"""
        self.check_lane(session, commit.get("session_execution_lease"))
        head = self.loaded["head_revision"] if self.loaded else 0
        expected = commit.get("expected_head_revision")
        if expected is not None and expected != head:
            raise Refused("HeadRevisionConflict", expected=expected, actual=head)
        done = []  # the batches of all completions; none may be named twice
        for completion in commit["completed_queue_claims"]:
            mine = {row["batch"]["batch_id"] for row in self.owned(completion)}
            done += completion["batch_ids"]
            owned = completion["session_id"] == session and mine.issuperset(completion["batch_ids"])
            if not owned or len(set(done)) < len(done):
                raise claim_expired(completion)
        inputs = self.check_input_completions(
            session, commit["completed_turn_input_claims"], input_claim_expired
        )
        self.rows = [row for row in self.rows if row["batch"]["batch_id"] not in done]
        self.settle_inputs(session, inputs, commit.get("interrupted_turn_input_turn_id"))
        body = {name: value for name, value in commit.items() if name not in SETTLEMENT_FIELDS}
        head += 1
        self.loaded = {**body, "session_id": session, "head_revision": head}
        return {"head_revision": head, "checkpoint_ref": f"checkpoint-{head}", "manifest": {}}

    def load_session(self, scope):
        return self.loaded
