"""Copies a picture, and keeps it on the clipboard until it is ended; says so on standard output."""

import gi

gi.require_version("Gtk", "4.0")
from gi.repository import Gdk, GLib, GObject, Gtk  # noqa: E402

Gtk.init()
pixels = GLib.Bytes.new(bytes(4))
picture = Gdk.MemoryTexture.new(1, 1, Gdk.MemoryFormat.R8G8B8A8, pixels, 4)
clipboard = Gdk.Display.get_default().get_clipboard()
value = GObject.Value(Gdk.Texture, picture)  # As such it is converted for others.
clipboard.set_content(Gdk.ContentProvider.new_for_value(value))
print("copied", flush=True)
GLib.MainLoop().run()
