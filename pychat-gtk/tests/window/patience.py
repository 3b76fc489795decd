"""Waiting for what has to become true. Nothing sleeps for a fixed time."""

import time

# A shared machine may stand still for a while.
PATIENCE_S = 40
POLL_S = 0.05
# What has not changed for so long is at rest: a wheel's clicks come at most a frame or two apart.
REST_S = 0.4


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


def settled(look, what):
    """Returns what `look` returns once that is something, and has not changed for a while."""
    last, since = None, time.monotonic()

    def is_settled():
        nonlocal last, since
        value = look()
        if value is None or value != last:
            last, since = value, time.monotonic()
        return last is not None and REST_S <= time.monotonic() - since

    eventually(is_settled, f"{what} to come to rest")
    return last
