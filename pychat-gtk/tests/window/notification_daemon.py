"""A desktop that takes notifications: says on standard output, a line of JSON each, what it is
told, and clicks the notification whose number comes on standard input.

Its capabilities are its arguments; without any, those of most desktops."""

import json
import sys

from gi.repository import Gio, GLib

NAME, PATH = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"

INTERFACE = """
<node><interface name="org.freedesktop.Notifications">
  <method name="GetCapabilities"><arg direction="out" type="as"/></method>
  <method name="GetServerInformation">
    <arg direction="out" type="s"/><arg direction="out" type="s"/>
    <arg direction="out" type="s"/><arg direction="out" type="s"/>
  </method>
  <method name="Notify">
    <arg direction="in" type="s"/><arg direction="in" type="u"/><arg direction="in" type="s"/>
    <arg direction="in" type="s"/><arg direction="in" type="s"/><arg direction="in" type="as"/>
    <arg direction="in" type="a{sv}"/><arg direction="in" type="i"/>
    <arg direction="out" type="u"/>
  </method>
  <method name="CloseNotification"><arg direction="in" type="u"/></method>
  <signal name="ActionInvoked"><arg type="u"/><arg type="s"/></signal>
  <signal name="NotificationClosed"><arg type="u"/><arg type="u"/></signal>
</interface></node>
"""


class Desktop:
    def __init__(self):
        self.n_notified = 0
        interface = Gio.DBusNodeInfo.new_for_xml(INTERFACE).interfaces[0]
        self.bus = Gio.bus_get_sync(Gio.BusType.SESSION)
        self.bus.register_object(PATH, interface, self.on_call, None, None)
        Gio.bus_own_name_on_connection(
            self.bus, NAME, Gio.BusNameOwnerFlags.NONE, lambda *_: say({"ready": True}), None
        )
        GLib.io_add_watch(sys.stdin, GLib.PRIORITY_DEFAULT, GLib.IO_IN | GLib.IO_HUP, self.on_input)
        self.loop = GLib.MainLoop()

    def on_call(self, _bus, _sender, _path, _interface, method, arguments, invocation):
        arguments = arguments.unpack()
        answer = None
        if method == "Notify":
            _, replaced, _, title, body, actions, _, _ = arguments
            if not replaced:
                self.n_notified += 1
            number = replaced or self.n_notified
            say({"shown": number, "title": title, "body": body, "actions": actions})
            answer = GLib.Variant("(u)", (number,))
        elif method == "CloseNotification":
            say({"closed": arguments[0]})
        elif method == "GetCapabilities":
            answer = GLib.Variant("(as)", (sys.argv[1:] or ["actions", "body", "body-markup"],))
        else:
            answer = GLib.Variant("(ssss)", ("desktop", "pychat", "1", "1.2"))
        invocation.return_value(answer)

    def on_input(self, *_):
        line = sys.stdin.readline()
        if not line:
            self.loop.quit()
            return False
        number, action = json.loads(line)
        click = GLib.Variant("(us)", (number, action))
        self.bus.emit_signal(None, PATH, NAME, "ActionInvoked", click)
        say({"closed": number})  # By the desktop itself, as by all that there are.
        return True


def say(event):
    print(json.dumps(event), flush=True)


Desktop().loop.run()
