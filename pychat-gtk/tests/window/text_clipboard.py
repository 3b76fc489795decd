"""Says on standard output what text is on the clipboard."""

import gi

gi.require_version("Gdk", "4.0")
gi.require_version("Gtk", "4.0")
from gi.repository import Gdk, GLib, Gtk  # noqa: E402

Gtk.init()
loop = GLib.MainLoop()


def on_text(clipboard, result):
    try:
        print(clipboard.read_text_finish(result))
    except GLib.Error:
        pass  # There is none.
    loop.quit()


Gdk.Display.get_default().get_clipboard().read_text_async(None, on_text)
loop.run()
