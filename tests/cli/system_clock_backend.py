"""The example's backend, unmodified but for its clock: the system's, which it asks the C library for.

With any argument the clock is read once only: a program that does not follow a faked clock."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples"))
import queue_backend  # noqa: E402


class SystemClock:
    """Ignores what reset and set_clock say; the harness does not call set_clock."""

    now_ms = 0
    stuck = None

    def __call__(self):
        if len(sys.argv) > 1:
            SystemClock.stuck = SystemClock.stuck or time.time_ns() // 1_000_000
            return SystemClock.stuck
        return time.time_ns() // 1_000_000


queue_backend.Clock = SystemClock
queue_backend.INFO["clock"] = "system"
queue_backend.serve()
