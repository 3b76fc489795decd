"""Drives the client as somebody does who cannot see it: by roles, names and keys.

Everything runs against real processes.
"""

import contextlib
import functools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import unittest
import weakref

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402

import forked  # noqa: E402
import patience  # noqa: E402
from patience import PATIENCE_S  # noqa: E402
from servers import BUILD, MORTAL, Modern, Original, Peer, Server  # noqa: E402

CLIENT = os.environ.get("PYCHAT_GTK", str(BUILD / "pychat-gtk"))

APP_ID = "io.github.pychat.Pychat"

# The same widgets have other roles in GTK 4.18 than in 4.8, and one role has another name in AT-SPI
# 2.56 than in 2.46.
ROLES = {
    "button": "push button",
    "grouping": "panel",
    "radio button": "check box",
    "toggle button": "push button",
}
# Names in sentences are isolated from the direction of what is around them. Nobody sees that.
ISOLATES = {0x2066: None, 0x2068: None, 0x2069: None}
_get_name = Atspi.Accessible.get_name
Atspi.Accessible.get_name = lambda it: (_get_name(it) or "").translate(ISOLATES)


def eventually(condition, what, patience_s=PATIENCE_S):
    """Returns the first true value of `condition`, which may look at things that go meanwhile."""

    def look():
        with contextlib.suppress(GLib.Error):
            return condition()
        return False

    try:
        return patience.eventually(look, what, patience_s)
    except AssertionError as error:
        for window in list(Window.running):
            forget(window.frame)
            error.add_note("\n".join(outline(window.frame)))
        raise


def call_application(interface, method, signature, *arguments):
    """Calls the client as a desktop does."""
    call = ["busctl", "--user", "call", APP_ID, "/" + APP_ID.replace(".", "/"), interface, method]
    return subprocess.run([*call, signature, *arguments], check=True, stdout=subprocess.DEVNULL)


def russian():
    """An environment in which Russian is read."""
    return locale("ru_RU")


def hebrew():
    """An environment in which one reads from the right."""
    return locale("he_IL")


@functools.cache
def locale(name):
    """An environment with a locale that there is wherever its language is read.

    Here there may be C.UTF-8 alone, in which nothing is translated from glibc 2.41 on.
    """
    folder = pathlib.Path.home() / "locales"
    folder.mkdir(exist_ok=True)
    compiled = str(folder / f"{name}.UTF-8")
    subprocess.run(
        ["localedef", f"--inputfile={name}", "--charmap=UTF-8", compiled], check=True
    )
    language, _ = name.split("_")
    return {"LANGUAGE": language, "LC_ALL": f"{name}.UTF-8", "LOCPATH": str(folder)}


def activate_action(name):
    """Activates an action of the application's, which needs no target."""
    call_application("org.gtk.Actions", "Activate", "sava{sv}", name, "0", "0")


def surface_title(surface):
    """The title of a window of X's, without what isolates the names in it; empty if it has just gone."""
    ask = ["xdotool", "getwindowname", surface]
    answer = subprocess.run(ask, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return answer.stdout.strip().translate(ISOLATES)


class Window:
    """The client."""

    # Those that have not ended: what they show is told with what was waited for in vain.
    running = weakref.WeakSet()

    # Whether libatspi keeps what it has heard of a client until that is looked for anew.
    is_cached = True

    def __init__(self, *arguments, **environment):
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [*MORTAL, CLIENT, *arguments],
            env={**os.environ, "G_ENABLE_DIAGNOSTIC": "0", **environment},
            stderr=self.log,
        )
        self.application = None
        try:
            self.frame = eventually(self._find_frame, "the window")
        except AssertionError as error:
            # The next test would find this client, and fail as well.
            error.add_note(f"status {self.process.poll()}")
            self.kill()
            self.log.seek(0)
            error.add_note(self.log.read())
            self.log.close()
            raise
        self.running.add(self)

    def kill(self):
        """Ends the client before it can do anything about it."""
        self.running.discard(self)
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def close(self):
        """Ends the client if it is still there, and returns what it complained about."""
        self.running.discard(self)
        self.process.terminate()
        try:
            self.process.wait(PATIENCE_S)
        finally:
            self.kill()
        eventually(lambda: self._find_frame() is None, "the bus to forget the window")
        self.log.seek(0)
        complaints = [line for line in self.log if "CRITICAL" in line or "WARNING" in line]
        self.log.close()
        return complaints

    # What there is.

    @property
    def title(self):
        return self.frame.get_name()

    def find(self, role, name=None, within=None):
        """Returns the first visible object of this role and name, or None."""
        root = within or self.frame
        forget(root)
        return next(
            (it for it in walk(root) if role_of(it) == role and name in (None, it.get_name())),
            None,
        )

    def names(self, role):
        """Returns the names of all visible objects of this role."""
        forget(self.frame)
        names = []
        for accessible in walk(self.frame):
            with contextlib.suppress(GLib.Error):  # It has just gone.
                if role_of(accessible) == role:
                    names.append(accessible.get_name())
        return names

    def find_anywhere(self, role, name):
        """The same in all windows of the client, such as its preferences."""
        found = (self.find(role, name, within=it) for it in self.windows())
        return next(filter(None, found), None)

    def find_label(self, pattern):
        """Returns the first visible label whose text matches, or None."""
        forget(self.frame)
        labels = (it for it in walk(self.frame) if role_of(it) == "label")
        return next((it for it in labels if re.search(pattern, it.get_name() or "")), None)

    def wait_for(self, role, name=None, within=None):
        return eventually(lambda: self.find(role, name, within), f"{role} {name!r}")

    def wait_for_title(self, title):
        def has_title():
            forget(self.frame)
            return self.title == title

        eventually(has_title, f"the title {title!r}")

    def joining(self):
        """The page that asks for name and server."""
        return self.wait_for("filler", "Join a Chat")

    def conversation(self):
        """The page with the conversation."""
        return self.wait_for("filler", "Conversation")

    def rows(self):
        """The messages, as they are read out: oldest first.

        From GTK 4.12 on those out of view are not among them.
        """
        messages = self.find("list", "Messages") or self.find("list", "Сообщения")
        return [] if messages is None else list(children(messages))

    def wait_for_row(self, ending):
        """Waits for a message that ends like this, and returns it."""

        def find_row():
            for row in self.rows():
                with contextlib.suppress(GLib.Error):  # It has just gone.
                    if row.get_name().endswith(ending):
                        return row
            return None

        return eventually(find_row, f"the message {ending!r}")

    def wait_for_note(self, ending):
        """Waits for the chat itself to say what ends like this: as a row, or where rows would be."""
        pattern = re.escape(ending) + "$"
        return eventually(lambda: self.find_label(pattern), f"the note {ending!r}")

    def way_back(self):
        """What the button is called that leads to the latest messages; empty if there is none."""
        names = self.names("push button")
        return next((name for name in names if name.startswith("Jump to Latest")), "")

    def n_missed(self):
        """How many messages it says have come below what is in view."""
        count = re.search(r"(\d+) new", self.way_back())
        return int(count[1]) if count else 0

    def focused(self):
        """Whatever has the keyboard."""
        forget(self.frame)
        focused = Atspi.StateType.FOCUSED
        return next(
            (it for it in walk(self.frame) if it.get_state_set().contains(focused)), None
        )

    def draft(self):
        return text_of(self.wait_for("text", "Message"))

    def threads(self):
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task")
        names = []
        for task in tasks.iterdir():
            with contextlib.suppress(FileNotFoundError):  # It has just ended.
                names.append((task / "comm").read_text().strip())
        return sorted(names)

    # What one does.

    def write(self, name, text):
        """Replaces what is in an entry, or in a search entry."""
        roles = ("text", "entry")
        entry = eventually(
            lambda: next(filter(None, (self.find(role, name) for role in roles)), None),
            f"an entry {name!r}",
        )
        Atspi.EditableText.set_text_contents(entry, text)
        eventually(lambda: text_of(entry) == text, f"{text!r} in {name}")

    def click(self, name, within=None):
        button = self.wait_for("push button", name, within)
        eventually(lambda: is_sensitive(button), f"{name} to be usable")
        Atspi.Action.do_action(button, 0)

    def click_at(self, accessible):
        """Clicks with the mouse what has no action of its own."""
        self.point(accessible, "click", "1")

    def point(self, accessible, *actions):
        """Goes to its middle with the mouse, and does something there."""
        area = self.extents(accessible)
        mouse(area.x + area.width // 2, area.y + area.height // 2, *actions)

    def descriptions(self):
        """What is read out with each message beside it, where there is something."""
        rows = [(row.get_name(), row.get_description()) for row in self.rows()]
        return {name.rpartition(": ")[2]: text for name, text in rows if text}

    def focus(self):
        """Brings the window to the keyboard."""
        frame = eventually(self._find_surface, "the window on the screen")
        subprocess.run(["xdotool", "windowfocus", "--sync", frame], check=True)
        eventually(self.is_active, "the focus")

    def lose_focus(self):
        """Gives the keyboard to nobody: X's own name for that is the window with this number."""
        subprocess.run(["xdotool", "mousemove", "1270", "1010", "windowfocus", "0"], check=True)
        eventually(lambda: not self.is_active(), "the focus to go")

    def is_active(self, title=None):
        """Whether the window has the keyboard, or another one of the client's with this title."""
        frames = [self.frame] if title is None else self.windows()
        for frame in frames:
            forget(frame)
        states = (it.get_state_set() for it in frames if title in (None, it.get_name()))
        return any(it.contains(Atspi.StateType.ACTIVE) for it in states)

    def has_focus_in(self, title):
        """Whether a widget has the keyboard in another window of the client's, with this title."""
        frames = (it for it in self.windows() if it.get_name() == title)
        states = (it.get_state_set() for frame in frames for it in walk(frame))
        return any(it.contains(Atspi.StateType.FOCUSED) for it in states)

    def find_again(self):
        """Looks for the window anew: one that was hidden is another to the bus."""
        self.frame = eventually(self._find_frame, "the window")
        self.running.add(self)

    def frames(self):
        """The titles of all windows of the client."""
        return [it.get_name() for it in self.windows()]

    def find_dialog(self, title):
        """Returns another window of the client's, with this title, or None."""
        return next((it for it in self.windows() if it.get_name() == title), None)

    def is_on_screen(self):
        search = ["xdotool", "search", "--onlyvisible", "--pid", str(self.process.pid)]
        return subprocess.run(search, stdout=subprocess.DEVNULL).returncode == 0

    def resize(self, width):
        """Makes it about this wide."""
        frame = eventually(self._find_surface, "the window on the screen")
        subprocess.run(["xdotool", "windowsize", frame, str(width), "700"], check=True)
        eventually(lambda: abs(self.extents(self.frame).width - width) < 60, "the new size")

    def press(self, keys):
        subprocess.run(["xdotool", "key", keys], check=True)

    def scroll(self, direction, clicks):
        """Turns the wheel over the conversation."""
        area = self.extents(self.wait_for("list", "Messages"))
        button = {"up": "4", "down": "5"}[direction]
        wheel = ["click", "--repeat", str(clicks), "--delay", "20", button]
        mouse(area.x + area.width // 2, 300, *wheel)

    def extents(self, accessible):
        """Where something is in the window."""
        area = place_of(accessible)
        frame = place_of(self.frame)
        if frame.x < 0:
            # GTK 4.18 leaves out the borders and paddings of what is around it: the frame of the
            # window, and what style.css has around messages and entry.
            x, y = padding_around(accessible)
            area.x += x - 2 * frame.x
            area.y += y - 2 * frame.y
        return area

    def _find_frame(self):
        application = self.find_application()
        return None if application is None else next(children(application), None)

    def _find_surface(self):
        """The number that X has for the window: a tooltip or popover is a window of the client there too."""
        search = ["xdotool", "search", "--onlyvisible", "--pid", str(self.process.pid)]
        surfaces = subprocess.run(search, stdout=subprocess.PIPE, text=True).stdout.split()
        forget(self.frame)
        title = self.frame.get_name()
        return next((it for it in reversed(surfaces) if surface_title(it) == title), None)

    def windows(self):
        """The windows of the client, the first one first."""
        application = self.find_application()
        return [] if application is None else list(children(application))

    def find_application(self):
        """Goes there from the top, once: `get_application` of a window crashes when it is called often."""
        if self.application is None:
            desktop = Atspi.get_desktop(0)
            if self.is_cached:
                desktop.clear_cache()
            else:
                desktop.set_cache_mask(Atspi.Cache.NONE)
            self.application = next(filter(self.is_ours, children(desktop)), None)
            if self.application is not None and not self.is_cached:
                self.application.set_cache_mask(Atspi.Cache.NONE)
        return self.application

    def is_ours(self, application):
        with contextlib.suppress(GLib.Error):  # It has just gone.
            return application.get_process_id() == self.process.pid
        return False


def forget(accessible):
    """Has libatspi ask anew for what it has cached of something, if it caches anything."""
    if Window.is_cached:
        accessible.clear_cache()


def children(accessible):
    """Yields the children that are still there when they are asked for."""
    with contextlib.suppress(GLib.Error):
        for index in range(accessible.get_child_count()):
            child = accessible.get_child_at_index(index)
            if child is not None:
                yield child


def walk(root):
    """Yields what is visible at and below `root`, in the order in which it is read."""
    stack = [root]
    while stack:
        accessible = stack.pop()
        with contextlib.suppress(GLib.Error):  # It has just gone.
            if accessible.get_state_set().contains(Atspi.StateType.VISIBLE):
                yield accessible
                stack.extend(reversed(list(children(accessible))))


def mouse(x, y, *actions):
    """Moves the mouse there, and does something.

    It comes from beside: GTK knows from motion alone what the pointer is over, once a menu is gone.
    """
    moves = ["mousemove", str(x + 1), str(y), "mousemove", str(x), str(y)]
    subprocess.run(["xdotool", *moves, *actions], check=True)


def outline(root, depth=0):
    """A line for each visible object at and below `root`, indented by how deep it is."""
    lines = []
    with contextlib.suppress(GLib.Error):  # It has just gone.
        if root.get_state_set().contains(Atspi.StateType.VISIBLE):
            lines.append(f"{'  ' * depth}{role_of(root)} {root.get_name()[:80]!r}")
            for child in children(root):
                lines += outline(child, depth + 1)
    return lines


def place_of(accessible, relative_to=Atspi.CoordType.WINDOW):
    return Atspi.Component.get_extents(accessible, relative_to)


def padding_around(accessible):
    """Returns the paddings at the left and the top of what is around something, in pixels."""
    row = accessible
    while row is not None and role_of(row) not in ("list item", "frame"):
        row = row.get_parent()
    if role_of(accessible) == "text":
        return 13, 13
    if role_of(row) == "frame" or row.get_parent().get_name() not in ("Messages", "Сообщения"):
        return 0, 0
    if row == accessible:
        return 0, 12
    message = row.get_child_at_index(0)
    line = place_of(list(children(message))[-1], Atspi.CoordType.PARENT)
    # One pixel of the message's own padding is at its bottom.
    top = place_of(message).height - (line.y + line.height) - 1
    return 12 + 12, 12 + top + 6


def role_of(accessible):
    """Returns the name of its role, as the oldest GTK has it."""
    name = accessible.get_role_name()
    return ROLES.get(name, name)


def text_of(entry):
    return Atspi.Text.get_text(entry, 0, Atspi.Text.get_character_count(entry))


def is_sensitive(accessible):
    forget(accessible)
    return accessible.get_state_set().contains(Atspi.StateType.SENSITIVE)


class WindowTest(unittest.TestCase):
    """A test that opens windows and meets servers, and leaves neither behind."""

    maxDiff = None

    # What a window may complain of.
    tolerated = None

    # Whether windows of windows are looked into. Where there is one, libatspi 2.46 has both in a circle,
    # and forgets what it has cached of them for ever, until the stack is full.
    has_dialogs = False

    def run(self, result=None):
        """Runs it in a process of its own.

        What libatspi 2.46 has seen of clients that are gone piles up in a process: in the end forgetting
        it fills the stack.
        """
        return forked.run(self, super().run, result)

    def open(self, *arguments, **environment):
        Window.is_cached = not self.has_dialogs
        window = Window(*arguments, **environment)

        def close():
            complaints = window.close()
            if self.tolerated is not None:
                complaints = [it for it in complaints if self.tolerated not in it]
            self.assertEqual(complaints, [])

        self.addCleanup(close)
        return window

    def open_joined(self, server, name="Анна", **environment):
        window = self.open("--name", name, server.address, **environment)
        window.wait_for_title(f"{name} — {server.address}")
        return window

    def with_settings(self, *settings):
        """An environment in which these keys have these values."""
        folder = pathlib.Path(self.temporary_folder())
        keyfile = folder / "glib-2.0/settings/keyfile"
        keyfile.parent.mkdir(parents=True)
        lines = (f"{key}={value}\n" for key, value in settings)
        keyfile.write_text(f"[{APP_ID.replace('.', '/')}]\n" + "".join(lines))
        return {"GSETTINGS_BACKEND": "keyfile", "XDG_CONFIG_HOME": str(folder)}

    def start_server(self, folder=None):
        """Starts the server. Where `folder` is named, it is stopped in order, as it writes there."""
        server = Server(folder=folder)
        server.start()
        self.addCleanup(server.stop, signal.SIGTERM if folder else signal.SIGKILL)
        return server

    def start_original(self):
        original = Original()
        self.addCleanup(original.close)
        return original

    def start_modern(self):
        modern = Modern()
        self.addCleanup(modern.close)
        return modern

    def let_join(self, server, name):
        peer = Peer(server, name)
        self.addCleanup(peer.close)
        return peer

    def open_room(self):
        """Opens the window of somebody who is not alone, and gives it the keyboard."""
        self.server = self.start_server()
        self.window = self.open_joined(self.server)
        self.boris = self.let_join(self.server, "Борис")
        self.window.focus()

    def temporary_folder(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        return folder
