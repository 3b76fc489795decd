"""A portal that is asked whether a client may run in the background. It answers as its argument says:
0 to allow it, 1 to refuse it. Says on standard output, a line each, when it is ready and is asked."""

import sys

from gi.repository import Gio, GLib

NAME, PATH = "org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop"
REQUEST = "org.freedesktop.portal.Request"

INTERFACE = """
<node><interface name="org.freedesktop.portal.Background">
  <method name="RequestBackground">
    <arg direction="in" type="s"/><arg direction="in" type="a{sv}"/>
    <arg direction="out" type="o"/>
  </method>
</interface></node>
"""


def on_call(bus, sender, _path, _interface, _method, arguments, invocation):
    _window, options = arguments.unpack()
    caller = sender.removeprefix(":").replace(".", "_")
    request = f"{PATH}/request/{caller}/{options['handle_token']}"
    invocation.return_value(GLib.Variant("(o)", (request,)))
    print("asked", flush=True)
    code = int(sys.argv[1])
    answer = GLib.Variant("(ua{sv})", (code, {"background": GLib.Variant("b", code == 0)}))
    bus.emit_signal(sender, request, REQUEST, "Response", answer)


bus = Gio.bus_get_sync(Gio.BusType.SESSION)
interface = Gio.DBusNodeInfo.new_for_xml(INTERFACE).interfaces[0]
bus.register_object(PATH, interface, on_call, None, None)
Gio.bus_own_name_on_connection(
    bus, NAME, Gio.BusNameOwnerFlags.NONE, lambda *_: print("ready", flush=True), None
)
GLib.MainLoop().run()
