"""Runs one test in a process of its own, and takes over what came of it."""

import os
import pickle
import signal
import sys
import traceback
import unittest


class Ended(Exception):
    """What the process of a test says, or how it ended without a word."""


def run(test, run_here, result):
    """Runs `run_here`, which takes a result, in a process of its own; adds to `result` what it came to."""
    result = test.defaultTestResult() if result is None else result
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process == 0:
        os.close(reading)
        end(writing, run_here)
    os.close(writing)
    with open(reading, "rb") as pipe:
        outcome = pipe.read()
    _, status = os.waitpid(process, 0)
    result.startTest(test)
    add(test, outcome, status, result)
    result.stopTest(test)
    return result


def end(writing, run_here):
    """Runs the test, tells what came of it, and ends this process whatever happens."""
    code = 1
    try:
        own = unittest.TestResult()
        run_here(own)
        outcome = (
            [text for _, text in own.failures],
            [text for _, text in own.errors],
            [reason for _, reason in own.skipped],
        )
        with open(writing, "wb") as pipe:
            pickle.dump(outcome, pipe)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def add(test, outcome, status, result):
    if not os.WIFEXITED(status) or os.WEXITSTATUS(status) != 0:
        how = f"status {status}"
        if os.WIFSIGNALED(status):
            how = signal.Signals(os.WTERMSIG(status)).name
        return result.addError(test, (Ended, Ended(f"the test's process ended by {how}"), None))
    failures, errors, skipped = pickle.loads(outcome)
    for text in failures:
        result.addFailure(test, (test.failureException, test.failureException(text), None))
    for text in errors:
        result.addError(test, (Ended, Ended(text), None))
    for reason in skipped:
        result.addSkip(test, reason)
    if not (failures or errors or skipped):
        result.addSuccess(test)
