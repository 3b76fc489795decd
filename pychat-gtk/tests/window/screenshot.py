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

from servers import Peer, Server
from support import Window, eventually

SCALE = 2
WIDTH, HEIGHT = 720, 800
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


# How each picture is taken: its name, whether it is dark, and the keys that lead there.
PICTURES = [("conversation", False, []), ("people", True, ["F9"])]


def main(folder):
    settings = pathlib.Path(os.environ["XDG_CONFIG_HOME"], "gtk-4.0", "settings.ini")
    settings.parent.mkdir(parents=True)
    settings.write_text("[Settings]\ngtk-font-name=Cantarell 11\ngtk-xft-antialias=1\n")

    for name, is_dark, keys in PICTURES:
        style = {"ADW_DEBUG_COLOR_SCHEME": "prefer-dark" if is_dark else "prefer-light"}
        take(pathlib.Path(folder, f"{name}.png"), keys, style)


def take(path, keys, style):
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as state:
        take_with(Server(PORT, folder, name="Office"), path, keys, {**style, "XDG_STATE_HOME": state})


def take_with(server, path, keys, style):
    server.start()
    address = f"{HOST}:{PORT}"
    window = Window("--name", "Анна", address, GDK_SCALE=str(SCALE), **style)
    try:
        window.wait_for_title(f"Анна — {server.name}")
        frame = subprocess.check_output(
            ["xdotool", "search", "--sync", "--onlyvisible", "--pid", str(window.process.pid)],
            text=True,
        ).split()[-1]
        size = [str(SCALE * (side + 2 * FRAME)) for side in (WIDTH, HEIGHT)]
        subprocess.run(["xdotool", "windowmove", frame, "0", "0", "windowsize", frame, *size])
        peers = talk(window, server)
        eventually(lambda: window.extents(window.frame).width >= WIDTH, "the new size")
        window.focus()
        for key in keys:
            window.press(key)
        crop = f"{SCALE * WIDTH}x{SCALE * HEIGHT}+{SCALE * FRAME}+{SCALE * FRAME}"
        subprocess.run(
            ["import", "-window", "root", "-pause", "1", "-crop", crop, "+repage", str(path)],
            check=True,
        )
        for peer in peers.values():
            peer.close()
    finally:
        window.close()
        server.stop()


def talk(window, server):
    peers = {}
    for author, text in TALK:
        if not author:
            window.write("Message", text)
            window.click("Send")
        else:
            if author not in peers:
                peers[author] = Peer(server, author)
            peers[author].say(text)
        window.wait_for_row(text)
    return peers


if __name__ == "__main__":
    main(sys.argv[1])
