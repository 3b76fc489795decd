"""Waiting for what has to become true. Nothing sleeps for a fixed time."""

import time

# A shared machine may stand still for a while.
PATIENCE_S = 40
POLL_S = 0.05


def eventually(condition, what, patience_s=PATIENCE_S):
    """Returns the first true value of `condition`."""
    deadline = time.monotonic() + patience_s
    while True:
        value = condition()
        if value:
            return value
        if deadline < time.monotonic():
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(POLL_S)
