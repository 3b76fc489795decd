"""What is to be read stands out from what it stands on: WCAG AA, measured in pixels."""

import collections
import os
import pathlib
import signal
import subprocess
import unittest

from support import Atspi, WindowTest, eventually, role_of, walk

CONTRAST_MIN = 4.5
PEOPLE = ("Борис", "Maria", "Jürgen", "李明")
INITIALS_X = 48  # How far they are from the name beside them.
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
        self.window = self.open(
            "--name", "Анна", server.address, ADW_DEBUG_COLOR_SCHEME=style, GDK_SCALE=str(SCALE),
            ADW_DEBUG_HIGH_CONTRAST="1" if is_high else "0",
            **self.with_settings(("notifications", "'none'")),
        )
        self.picture_name = f"{style}{'-high' if is_high else ''}"
        self.window.wait_for_title(f"Анна — {server.address}")
        self.window.focus()
        for name in PEOPLE:
            peer = self.let_join(server, name)
            link = f"https://example.org/{name[0]}"
            peer.say(link)
            self.window.wait_for_row(link)
            expected = {name, f"initials of {name}", f"{name} joined the chat.", link}
            self.check_messages(f"of {name}", expected)
        peer.say("@Анна, `span`:\n```\nblock\n```")
        self.window.wait_for_row("```")
        self.say("https://example.org/own")
        self.say("👍")
        self.check_messages("what is said", {"@Анна, `span`:\n```\nblock\n```", "👍"})
        self.window.press("shift+Tab")
        self.window.press("shift+Up")
        self.window.wait_for("label", "2 Selected")
        self.check_messages("what is selected", {"👍"})
        count = self.window.wait_for("label", "2 Selected")
        self.check_labels("the header", lambda: [count], {"2 Selected"})
        self.window.press("Escape")
        self.window.press("ctrl+f")
        self.window.write("Search the conversation", "example")
        self.window.wait_for("label", "1 of 5")
        self.check_messages("what is found", {"https://example.org/own"})
        results = self.window.wait_for("list", "Search Results")
        link = "https://example.org/own"
        self.check_labels("the results", lambda: self.labels_of(results), {"You", "Maria", link})
        self.window.press("Escape")
        self.window.lose_focus()
        peer.say("new")
        self.window.wait_for_row("new")
        self.check_messages("what is new", {"new", "New messages"})
        server.stop(signal.SIGKILL)
        self.window.wait_for("alert", None, self.window.conversation())
        self.say("not there yet")
        eventually(lambda: self.window.descriptions() == {"not there yet": "Sending…"}, "the clock")
        self.check_messages("what is on its way", {"not there yet"})

    def say(self, text):
        self.window.write("Message", text)
        self.window.click("Send")
        self.window.wait_for_row(text)

    def check_messages(self, subject, expected):
        """Measures what is in view of the messages, among it what is expected."""
        messages = self.window.find("list", "Messages")
        view = self.window.extents(messages)
        self.check_labels(subject, lambda: self.labels_in(view), expected)

    def labels_in(self, view):
        """Yields the labels of the messages in view, of which the last is at the end."""
        top = view.y + view.height
        for row in reversed(self.window.rows()):
            extents = self.window.extents(row)
            if top < extents.y + extents.height or extents.y < view.y:
                return  # What is out of view stays where it once was.
            top = extents.y
            yield from (it for it in walk(row) if role_of(it) in ("label", "heading"))

    def labels_of(self, results):
        """Yields the labels of the results, of which the first is selected."""
        return (it for it in walk(results) if role_of(it) in ("label", "heading"))

    def check_labels(self, subject, find_labels, expected):
        look = ({}, expected)  # Contrasts that are too low, and what is not in view.

        def is_good():
            nonlocal look
            contrasts = self.contrasts(subject, find_labels())
            faint = {name: value for name, value in contrasts.items() if value < CONTRAST_MIN}
            look = (faint, expected - set(contrasts))
            return look == ({}, set())

        try:
            eventually(is_good, "everything to be there, and to have faded in")
        except AssertionError:
            self.assertEqual(look, ({}, set()), subject)

    def contrasts(self, subject, labels):
        """Returns the contrast of each label, and of the initials beside it if it is somebody's name."""
        picture = Picture(SCALE)
        if folder := os.environ.get("PICTURES"):
            path = pathlib.Path(folder, f"{self.picture_name}-{subject.replace(' ', '-')}.png")
            subprocess.run(["import", "-window", "root", str(path)], check=True)
        contrasts = {}
        for label in labels:
            name, extents = label.get_name(), self.window.extents(label)
            if extents.width <= 0:
                continue
            contrasts[name] = round(picture.contrast(extents), 2)
            if name in PEOPLE:
                extents.x, extents.width, extents.height = extents.x - INITIALS_X, 24, 20
                contrasts[f"initials of {name}"] = round(picture.contrast(extents), 2)
        return contrasts


if __name__ == "__main__":
    unittest.main()
