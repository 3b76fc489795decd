"""What is to be read stands out from what it stands on: WCAG AA, measured in pixels."""

import collections
import os
import pathlib
import signal
import subprocess
import unittest

from support import WindowTest, eventually, walk

CONTRAST_MIN = 4.5
SCALE = 2  # Thin strokes are drawn in their own colour then, and not mixed with what is below.


def luminance(colour):
    channels = [value / 255 for value in colour]
    linear = [it / 12.92 if it <= 0.04045 else ((it + 0.055) / 1.055) ** 2.4 for it in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


class Picture:
    """What is on the screen; `scale` is how many pixels of it are one of the window's."""

    def __init__(self, scale=1):
        self.scale = scale
        pixels = subprocess.check_output(["import", "-window", "root", "-depth", "8", "ppm:-"])
        header, size, depth, self.pixels = pixels.split(b"\n", 3)
        assert (header, depth) == (b"P6", b"255")
        self.width, self.height = map(int, size.split())

    def contrast(self, extents):
        """How far the strongest colour in a rectangle is from the most frequent one."""
        counts = collections.Counter(colour for _, colour in self.colours(extents))
        ground = max(counts, key=counts.get)
        return max(contrast(ground, colour) for colour in counts)

    def ink(self, extents):
        """From where to where in a rectangle there is anything, in pixels from its left."""
        colours = list(self.colours(extents))
        (ground, _), = collections.Counter(colour for _, colour in colours).most_common(1)
        columns = [x // self.scale for x, colour in colours if contrast(ground, colour) > 1.5]
        return (min(columns), max(columns)) if columns else None

    def colours(self, extents):
        """Yields the pixels of a rectangle, each with its place from the left."""
        left, top = max(0, extents.x * self.scale), max(0, extents.y * self.scale)
        right = min(self.width, left + extents.width * self.scale)
        for y in range(top, min(self.height, top + extents.height * self.scale)):
            row = self.pixels[3 * (y * self.width + left) : 3 * (y * self.width + right)]
            for at in range(0, len(row), 3):
                yield at // 3, row[at : at + 3]


class Contrast(WindowTest):
    def test_everything_can_be_read_in_light(self):
        self.check("prefer-light", is_high=False)

    def test_everything_can_be_read_in_light_with_high_contrast(self):
        self.check("prefer-light", is_high=True)

    def test_everything_can_be_read_in_dark(self):
        self.check("prefer-dark", is_high=False)

    def test_everything_can_be_read_in_dark_with_high_contrast(self):
        self.check("prefer-dark", is_high=True)

    def check(self, style, is_high):
        server = self.start_server()
        window = self.open(
            "--name", "Анна", server.address, ADW_DEBUG_COLOR_SCHEME=style, GDK_SCALE=str(SCALE),
            ADW_DEBUG_HIGH_CONTRAST="1" if is_high else "0",
        )
        window.wait_for_title(f"Анна — {server.address}")
        for name in ("Борис", "Maria", "Jürgen", "李明"):
            peer = self.let_join(server, name)
            peer.say(f"https://example.org/{name[0]}")
            window.wait_for_row(f"https://example.org/{name[0]}")
        window.write("Message", "https://example.org/own")
        window.click("Send")
        window.wait_for_row("https://example.org/own")
        server.stop(signal.SIGKILL)
        window.wait_for("alert", None, window.conversation())
        window.write("Message", "not there yet")
        window.click("Send")
        eventually(lambda: window.descriptions() == {"not there yet": "Sending…"}, "the clock")
        picture = Picture(SCALE)
        if folder := os.environ.get("PICTURES"):
            path = pathlib.Path(folder, f"{style}{'-high' if is_high else ''}.png")
            subprocess.run(["import", "-window", "root", str(path)], check=True)
        faint = {}
        messages = window.find("list", "Messages")
        view = window.extents(messages)
        for label in (it for it in walk(messages) if it.get_role_name() == "label"):
            extents = window.extents(label)
            bottom = extents.y + extents.height
            if view.y <= extents.y and bottom <= view.y + view.height and 0 < extents.width:
                found = picture.contrast(extents)
                if found < CONTRAST_MIN:
                    faint[label.get_name()] = round(found, 2)
        self.assertEqual(faint, {})


if __name__ == "__main__":
    unittest.main()
