"""An Avahi on the bus of the session. Says on standard output, a line each, when it is ready, when
somebody begins to browse, and when they end it.

Takes a service on standard input, a line of JSON each: {"name": …, "host": …, "address": …, "port": …,
"texts": […]}, or {"gone": NAME}."""

import json

from gi.repository import Gio, GLib

NAME, BROWSER_PATH = "org.freedesktop.Avahi", "/Client0/ServiceBrowser0"
BROWSER = "org.freedesktop.Avahi.ServiceBrowser"
INTERFACE, PROTOCOL, TYPE, DOMAIN, FLAGS = 2, 0, "_pychat._tcp", "local", 4

INTERFACES = Gio.DBusNodeInfo.new_for_xml("""
<node>
  <interface name="org.freedesktop.Avahi.Server">
    <method name="ServiceBrowserNew">
      <arg direction="in" type="i"/><arg direction="in" type="i"/><arg direction="in" type="s"/>
      <arg direction="in" type="s"/><arg direction="in" type="u"/><arg direction="out" type="o"/>
    </method>
    <method name="ResolveService">
      <arg direction="in" type="i"/><arg direction="in" type="i"/><arg direction="in" type="s"/>
      <arg direction="in" type="s"/><arg direction="in" type="s"/><arg direction="in" type="i"/>
      <arg direction="in" type="u"/>
      <arg direction="out" type="i"/><arg direction="out" type="i"/><arg direction="out" type="s"/>
      <arg direction="out" type="s"/><arg direction="out" type="s"/><arg direction="out" type="s"/>
      <arg direction="out" type="i"/><arg direction="out" type="s"/><arg direction="out" type="q"/>
      <arg direction="out" type="aay"/><arg direction="out" type="u"/>
    </method>
  </interface>
  <interface name="org.freedesktop.Avahi.ServiceBrowser"><method name="Free"/></interface>
</node>
""").interfaces


class Avahi:
    def __init__(self):
        self.services = {}
        self.client = None
        self.bus = Gio.bus_get_sync(Gio.BusType.SESSION)
        self.bus.register_object("/", INTERFACES[0], self.on_call, None, None)
        self.bus.register_object(BROWSER_PATH, INTERFACES[1], self.on_free, None, None)
        Gio.bus_own_name_on_connection(
            self.bus, NAME, Gio.BusNameOwnerFlags.NONE, lambda *_: say("ready"), None
        )
        self.input = open(0, "rb", buffering=0)  # What is read ahead would not be waited for.
        GLib.io_add_watch(0, GLib.PRIORITY_DEFAULT, GLib.IO_IN | GLib.IO_HUP, self.on_input)
        self.loop = GLib.MainLoop()

    def on_call(self, _bus, sender, _path, _interface, method, arguments, invocation):
        arguments = arguments.unpack()
        if method == "ServiceBrowserNew":
            assert arguments == (-1, -1, TYPE, DOMAIN, 0), arguments
            self.client = sender
            Gio.bus_watch_name_on_connection(
                self.bus, sender, Gio.BusNameWatcherFlags.NONE, None, lambda *_: self.forget(sender)
            )
            for name in self.services:
                self.tell("ItemNew", name)  # Before the answer, as Avahi may do it.
            invocation.return_value(GLib.Variant("(o)", (BROWSER_PATH,)))
            say("browsing")
            return
        service = self.services.get(arguments[2])
        if service is None:
            invocation.return_dbus_error(f"{NAME}.TimeoutError", "Timeout reached")
            return
        texts = [text.encode() for text in service["texts"]]
        found = (service["host"], PROTOCOL, service["address"], service["port"], texts, FLAGS)
        answer = (INTERFACE, PROTOCOL, arguments[2], TYPE, DOMAIN, *found)
        invocation.return_value(GLib.Variant("(iissssisqaayu)", answer))

    def on_free(self, _bus, sender, _path, _interface, _method, _arguments, invocation):
        invocation.return_value(None)
        self.forget(sender)

    def forget(self, sender):
        """Ends the browser of a client that wants it to, or that has left the bus."""
        if self.client == sender:
            self.client = None
            say("freed")

    def on_input(self, _source, condition):
        line = self.input.readline()
        if not line:
            self.loop.quit()
            return False
        service = json.loads(line)
        if gone := service.get("gone"):
            del self.services[gone]
            self.tell("ItemRemove", gone)
        else:
            self.services[service["name"]] = service
            self.tell("ItemNew", service["name"])
        return True

    def tell(self, signal, name):
        if self.client is not None:
            item = GLib.Variant("(iisssu)", (INTERFACE, PROTOCOL, name, TYPE, DOMAIN, FLAGS))
            self.bus.emit_signal(self.client, BROWSER_PATH, BROWSER, signal, item)


def say(word):
    print(word, flush=True)


Avahi().loop.run()
