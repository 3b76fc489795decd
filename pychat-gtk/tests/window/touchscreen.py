"""A finger on the touchscreen that `HEADLESS_TOUCH=1 tests/headless` makes.

The server's driver for it (inputtest, of Xorg) listens at a socket, for one program at a time; what
it is told are structures of C, as in xf86-input-inputtest-protocol.h. When that program hangs up it
listens no more.
"""

import functools
import os
import socket
import struct
import time

VERSION = (1, 1)
CLIENT_VERSION, WAIT_FOR_SYNC, TOUCH = 0, 1, 6
BEGIN, UPDATE, END = 18, 19, 20  # As in XI2.

VALUATORS = 64
AXIS_MAX = 0xFFFF

# How often a finger that moves is told of.
INTERVAL_S = 0.01

PATIENCE_S = 40


SIZE = (1280, 1024)


@functools.cache
def touchscreen():
    """The screen of `headless`, for all tests of a run: the driver listens once."""
    return Touchscreen(*SIZE)


class Touchscreen:
    """A screen of this size in pixels."""

    def __init__(self, width, height):
        self.size = (width, height)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect(os.environ["TOUCHSCREEN"])
        self._write(CLIENT_VERSION, struct.pack("=HH", *VERSION))
        self.socket.recv(12, socket.MSG_WAITALL)  # The server's version.

    def put(self, x, y):
        self._touch(BEGIN, x, y)

    def move(self, x, y):
        self._touch(UPDATE, x, y)

    def lift(self, x, y):
        self._touch(END, x, y)

    def swipe(self, x, from_y, to_y, duration_s, rest_s=0.0):
        """Puts a finger down, moves it evenly, and lifts it when it has rested."""
        self.drag((x, from_y), (x, to_y), duration_s, rest_s)

    def drag(self, start, end, duration_s, rest_s=0.0):
        """The same from one place to another, in any direction."""
        self.put(*start)
        n_steps = max(1, round(duration_s / INTERVAL_S))
        for n in range(1, n_steps + 1):
            time.sleep(INTERVAL_S)  # That is what makes it as fast as it is.
            self.move(*(it + (to - it) * n / n_steps for it, to in zip(start, end)))
        time.sleep(rest_s)
        self.lift(*end)

    def _touch(self, kind, x, y):
        axes = [0.0] * VALUATORS
        axes[0], axes[1] = (at * AXIS_MAX / size for at, size in zip((x, y), self.size))
        mask = bytes([0b11]) + bytes(VALUATORS // 8 - 1)
        finger = struct.pack("=II", 0, kind)
        # The doubles are aligned, so there are four bytes of padding before the first.
        valuators = struct.pack(f"=I8s4x{VALUATORS}d{VALUATORS}d", 0, mask, *axes, *axes)
        self._write(TOUCH, finger + valuators)
        self._write(WAIT_FOR_SYNC, b"")
        self.socket.recv(8, socket.MSG_WAITALL)

    def _write(self, kind, body):
        self.socket.sendall(struct.pack("=II", 8 + len(body), kind) + body)
