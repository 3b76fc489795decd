"""The program as a process: its command line, its language, its threads."""

import os
import pathlib
import re
import subprocess
import unittest

from servers import free_port
from support import APP_ID, CLIENT, WindowTest, russian

ROOT = pathlib.Path(__file__).parents[3]

# What GTK and GLib start by themselves: the worker of GLib's main contexts, that of D-Bus, and
# threads of a pool that end after some seconds without work, and of Pango for what fonts there are.
FOREIGN_THREADS = ("gmain", "gdbus", "pool-", "[pango]")


class CommandLine(unittest.TestCase):
    def run_client(self, *arguments, **environment):
        environment = {**os.environ, **environment}
        for variable in ("DISPLAY", "WAYLAND_DISPLAY"):
            environment.pop(variable, None)
        return subprocess.run(
            [CLIENT, *arguments], env=environment, capture_output=True, text=True, timeout=15
        )

    def test_help_and_version_need_no_display(self):
        done = self.run_client("--version")
        self.assertRegex(done.stdout, r"^pychat-gtk \d+\.\d+\.\d+\n$")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        done = self.run_client("--help")
        self.assertRegex(done.stdout, r"\n  pychat-gtk \[.*\] \[HOST\[:PORT\]\|LINK\]\n")
        self.assertIn("--name=NAME", done.stdout)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        help = self.run_client("--help", **russian()).stdout
        for words in ("Клиент чата для серверов pychat", "УЗЕЛ[:ПОРТ]|ССЫЛКА", "Имя для входа в чат"):
            self.assertIn(words, help)

    def test_a_command_line_that_makes_no_sense_is_refused(self):
        for arguments, reason in [
            (["host:0"], "The port must be between 1 and 65535"),
            (["a", "b"], "Only one server can be joined at a time"),
        ]:
            done = self.run_client(*arguments)
            self.assertEqual(done.stderr, f"pychat-gtk: {reason}\n")
            self.assertEqual((done.returncode, done.stdout), (2, ""))
        done = self.run_client("--port=1")
        self.assertIn("--port=1", done.stderr)
        self.assertEqual((done.returncode, done.stdout), (2, ""))


class Russian(WindowTest):
    def test_the_window_speaks_russian(self):
        port = free_port()
        window = self.open(**russian())
        self.assertEqual(window.title, "ПайЧат")
        window.wait_for("label", "Под этим именем вас увидят другие")
        window.write("Имя", "Анна")
        window.write("Сервер", f"127.0.0.1:{port}")
        window.click("Войти")
        window.wait_for(
            "alert",
            f"На 127.0.0.1:{port} сервер не запущен. Проверьте адрес и порт или запустите сервер "
            "командой pychat-server.",
        )
        window.wait_for("push button", "Повторить")

    def test_the_chat_itself_speaks_russian(self):
        server = self.start_server()
        window = self.open_joined(server, **russian())
        window.wait_for("label", "Добро пожаловать, Анна. Пока здесь больше никого нет.")
        peer = self.let_join(server, "Борис")
        window.wait_for_row("Борис теперь в чате.")
        window.write("Сообщение", "привет")
        window.click("Отправить")
        self.assertEqual(peer.hear_from("Анна"), "привет")
        self.assertRegex(window.wait_for_row("привет").get_name(), r"^Вы, \d\d:\d\d: привет$")
        peer.close()
        window.wait_for_row("Борис больше не в чате.")


class Surroundings(WindowTest):
    def test_a_locale_that_knows_no_cyrillic_takes_such_a_name(self):
        server = self.start_server()
        window = self.open("--name", "Анна", server.address, LC_ALL="C")
        window.wait_for_title(f"Анна — {server.address}")

    def test_settings_of_an_older_version_are_passed_over(self):
        self.tolerated = "the installed settings know no"
        folder = pathlib.Path(self.temporary_folder())
        schema = ROOT / "data" / f"{APP_ID}.gschema.xml"
        older = re.sub(r'<key name="show-people".*?</key>', "", schema.read_text(), flags=re.DOTALL)
        self.assertNotIn("show-people", older)
        (folder / schema.name).write_text(older)
        subprocess.run(["glib-compile-schemas", folder], check=True)
        self.open(GSETTINGS_SCHEMA_DIR=str(folder)).wait_for("text", "Name")


class Threads(WindowTest):
    def test_the_client_has_no_thread_of_its_own(self):
        server = self.start_server()
        window = self.open_joined(server)
        peer = self.let_join(server, "Борис")
        seen = set()
        for n in range(5):
            peer.say(f"question {n}")
            window.wait_for_row(f": question {n}")
            window.write("Message", f"answer {n}")
            window.press("alt+Return")
            self.assertEqual(peer.hear_from("Анна"), f"answer {n}")
            seen.update(window.threads())
        self.assertIn("pychat-gtk", seen)
        own = {name for name in seen if not name.startswith(FOREIGN_THREADS)}
        self.assertEqual(own, {"pychat-gtk"})
        self.assertEqual(window.threads().count("pychat-gtk"), 1)


if __name__ == "__main__":
    unittest.main()
