"""Takes the pictures that the project shows of itself:

    HEADLESS_SCREEN=1600x1800x24 pychat-gtk/tests/headless \\
        /usr/bin/python3 pychat-gtk/tests/window/screenshot.py FOLDER

They are twice as large as what they show, for screens on which that is sharp.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

from servers import Member, Server
from support import Atspi, Window, eventually

SCALE = 2
WIDTH, HEIGHT = 960, 760
FRAME = 5  # Without a compositor, the window draws a frame where its shadow would be.

# What is joined; every name under `localhost` is this machine.
HOST, PORT = "chat.localhost", 12345

# Who says what; "" is the one whose window is shown.
TALK = [
    ("Борис", "Доброе утро! Сервер переехал на новую машину, никто ничего не заметил?"),
    ("Maria", "Not a thing — my window never even blinked 🎉"),
    ("", "Ни одного сообщения не потерялось, я проверила."),
    ("Борис", "Тогда план на сегодня:\n1. обновить клиент на ноутбуках\n2. пирог в четыре"),
    ("Jürgen", "Pie is the part I can help with."),
    ("Maria", "I’ll bring the plates."),
    ("", "Встречаемся на кухне в 16:00. Кто принесёт чай?"),
    ("Jürgen", "Me! Earl Grey or something with mint?"),
]
# Which message answers which, by their numbers in the hall.
ANSWERS = {8: 7}

# Who reacts to which message, and how.
REACTIONS = [("Борис", 2, "🎉"), ("Jürgen", 2, "🎉"), ("Maria", 4, "🥧"), ("Jürgen", 4, "👍")]

# What is said in other rooms: between whom, or in the room of which name, by whom, and what.
ELSEWHERE = [
    (["Анна"], "Maria", "Are you coming with us on Friday? 🚲"),
    (["Анна", "Maria"], "Jürgen", "The tickets are booked."),
    ("Garden", "Борис", "Помидоры взошли!"),
    ("Releases", "Jürgen", "@Анна the notes for 1.0 are ready"),
]

# How each picture is taken: its name, whether it is dark, the keys that lead there, and the item of the
# menu that opens what is shown.
PICTURES = [
    ("conversation", False, [], None),
    ("people", True, ["F9"], None),
    ("invite", False, [], "Invite People…"),
]


def main(folder):
    settings = pathlib.Path(os.environ["XDG_CONFIG_HOME"], "gtk-4.0", "settings.ini")
    settings.parent.mkdir(parents=True)
    settings.write_text("[Settings]\ngtk-font-name=Cantarell 11\ngtk-xft-antialias=1\n")

    for name, is_dark, keys, item in PICTURES:
        style = {"ADW_DEBUG_COLOR_SCHEME": "prefer-dark" if is_dark else "prefer-light"}
        take(pathlib.Path(folder, f"{name}.png"), keys, item, style)


def take(path, keys, item, style):
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as state:
        server = Server(PORT, folder, name="Office")
        take_with(server, path, keys, item, {**style, "XDG_STATE_HOME": state})


def take_with(server, path, keys, item, style):
    server.control += ["--public-address", "chat.example"]
    server.start()
    address = f"{HOST}:{PORT}"
    window = Window("--name", "Анна", address, GDK_SCALE=str(SCALE), **style)
    try:
        window.wait_for_title(f"Анна — {server.name}")
        frame = windows_of(window)[-1]
        resize(frame, WIDTH, HEIGHT)
        members = talk(window, server)
        eventually(lambda: window.extents(window.frame).width >= WIDTH, "the new size")
        window.focus()
        for key in keys:
            window.press(key)
        crop = f"{SCALE * WIDTH}x{SCALE * HEIGHT}+{SCALE * FRAME}+{SCALE * FRAME}"
        shown = ["-window", "root", "-pause", "1", "-crop", crop, "+repage"]
        if item is not None:
            shown = ["-window", open_from_menu(window, item, frame), "-pause", "1"]
        subprocess.run(["import", *shown, str(path)], check=True)
        if item is not None:
            frame_size = f"{SCALE * FRAME}x{SCALE * FRAME}"
            subprocess.run(["mogrify", "-shave", frame_size, "+repage", str(path)], check=True)
        for member in members.values():
            member.close()
    finally:
        window.close()
        server.stop()


def windows_of(window):
    """The windows of the client, as the display names them."""
    pid = str(window.process.pid)
    search = ["xdotool", "search", "--sync", "--onlyvisible", "--pid", pid]
    return subprocess.check_output(search, text=True).split()


def resize(frame, width, height):
    size = [str(SCALE * (side + 2 * FRAME)) for side in (width, height)]
    subprocess.run(["xdotool", "windowmove", frame, "0", "0", "windowsize", frame, *size])


def open_from_menu(window, item, frame):
    """Opens a window of the menu, and returns it as the display names it."""
    window.press("F10")
    chosen = eventually(lambda: window.find_anywhere("menu item", item), item)
    Atspi.Action.do_action(chosen, 0)
    eventually(lambda: window.find_anywhere("image", "QR code of the link"), "the link")
    return eventually(lambda: next((it for it in windows_of(window) if it != frame), None), "it")


def talk(window, server):
    """Has everybody say something, and returns them by name."""
    members = {name: Member(server, name) for name, _ in TALK if name}
    for number, (author, text) in enumerate(TALK, 1):
        if author:
            answered = {"reply": ANSWERS[number]} if number in ANSWERS else {}
            members[author].request("text", room="", content=text, **answered)
        else:
            window.write("Message", text)
            window.click("Send")
        window.wait_for_row(text)
    for author, target, emoji in REACTIONS:
        react = {"type": "react", "id": f"react-{target}", "target": target, "emoji": emoji}
        members[author].write(react)
        members[author].hear("react", id=react["id"])
    for where, author, text in ELSEWHERE:
        member = members[author]
        if isinstance(where, str):
            room = member.create(where, kind="closed")
            member.request("add_member", room=room, username="Анна")
        else:
            room = member.direct(*where)
        member.say(text, room=room)
    return members


if __name__ == "__main__":
    main(sys.argv[1])
