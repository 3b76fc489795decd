"""A secret service as desktops have it, over the session bus: with one keyring, which is kept in the
file that is its first argument, and is locked if the second is `locked`. Says on standard output, a
line each, when it is ready and which method was called."""

import json
import pathlib
import sys

from gi.repository import Gio, GLib

NAME, PATH = "org.freedesktop.secrets", "/org/freedesktop/secrets"
KEYRING = f"{PATH}/collection/login"
SESSION = f"{PATH}/session/1"
ATTRIBUTES = "org.freedesktop.Secret.Item.Attributes"

INTERFACES = """
<node>
  <interface name="org.freedesktop.Secret.Service">
    <method name="OpenSession">
      <arg direction="in" type="s"/><arg direction="in" type="v"/>
      <arg direction="out" type="v"/><arg direction="out" type="o"/>
    </method>
    <method name="SearchItems">
      <arg direction="in" type="a{ss}"/>
      <arg direction="out" type="ao"/><arg direction="out" type="ao"/>
    </method>
    <method name="GetSecrets">
      <arg direction="in" type="ao"/><arg direction="in" type="o"/>
      <arg direction="out" type="a{o(oayays)}"/>
    </method>
    <method name="ReadAlias">
      <arg direction="in" type="s"/><arg direction="out" type="o"/>
    </method>
  </interface>
  <interface name="org.freedesktop.Secret.Collection">
    <method name="CreateItem">
      <arg direction="in" type="a{sv}"/><arg direction="in" type="(oayays)"/>
      <arg direction="in" type="b"/>
      <arg direction="out" type="o"/><arg direction="out" type="o"/>
    </method>
  </interface>
  <interface name="org.freedesktop.Secret.Session">
    <method name="Close"/>
  </interface>
</node>
"""


class Keyring:
    def __init__(self, path, is_locked):
        self.path, self.is_locked = pathlib.Path(path), is_locked
        self.items = json.loads(self.path.read_text()) if self.path.exists() else []

    def path_of(self, number):
        return f"{KEYRING}/{number}"

    def create(self, attributes, secret):
        if self.is_locked:
            return "/", f"{PATH}/prompt/1"  # Nobody may be asked.
        self.items.append({"attributes": attributes, "secret": list(secret)})
        self.path.write_text(json.dumps(self.items))
        return self.path_of(len(self.items) - 1), "/"

    def search(self, attributes):
        found = [
            self.path_of(number)
            for number, item in enumerate(self.items)
            if attributes.items() <= item["attributes"].items()
        ]
        return ([], found) if self.is_locked else (found, [])

    def secret(self, path):
        return self.items[int(path.rpartition("/")[2])]["secret"]


def on_call(_bus, _sender, _path, _interface, method, arguments, invocation):
    arguments = arguments.unpack()
    answer = None
    if method == "OpenSession":
        answer = GLib.Variant("(vo)", (GLib.Variant("s", ""), SESSION))
    elif method == "SearchItems":
        answer = GLib.Variant("(aoao)", keyring.search(arguments[0]))
    elif method == "GetSecrets":
        secrets = {
            path: (SESSION, [], keyring.secret(path), "application/octet-stream")
            for path in arguments[0]
        }
        answer = GLib.Variant("(a{o(oayays)})", (secrets,))
    elif method == "ReadAlias":
        answer = GLib.Variant("(o)", (KEYRING,))
    elif method == "CreateItem":
        properties, (_, _, secret, _), _ = arguments
        answer = GLib.Variant("(oo)", keyring.create(properties[ATTRIBUTES], secret))
    invocation.return_value(answer)
    print(method, flush=True)


keyring = Keyring(sys.argv[1], sys.argv[2:] == ["locked"])
bus = Gio.bus_get_sync(Gio.BusType.SESSION)
service, collection, session = Gio.DBusNodeInfo.new_for_xml(INTERFACES).interfaces
bus.register_object(PATH, service, on_call, None, None)
bus.register_object(KEYRING, collection, on_call, None, None)
bus.register_object(SESSION, session, on_call, None, None)
Gio.bus_own_name_on_connection(
    bus, NAME, Gio.BusNameOwnerFlags.NONE, lambda *_: print("ready", flush=True), None
)
GLib.MainLoop().run()
