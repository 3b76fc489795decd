"""The part of `journal` that runs inside: talks to the server, then reads what the journal says."""

import json
import socket
import subprocess
import sys
import time

PATIENCE_SECONDS = 15
NAME = "Анна"
CALLS = 2000  # A line each: more than the journal's queue holds.
FORGED = '"; echo\\'


def main(unit):
    port = int(listening(unit).rsplit(":", 1)[1])
    anna = talk(port, NAME)
    forger = talk(port, FORGED, last=b"x")  # No frame: the server closes the line.
    staying = socket.create_connection(("127.0.0.1", port))
    staying.sendall(hello("Борис"))
    staying.recv(1)  # It is connected, so it will be there when the unit is stopped.
    wait_for(lambda: entries("PYCHAT_USER=Борис"))
    check_that_a_stuck_journal_stops_nobody(port)
    check_that_a_journal_that_is_gone_stops_nobody(port)
    subprocess.run(["systemctl", "stop", unit], check=True)

    (joined, left) = entries(f"PYCHAT_USER={NAME}")
    check(joined, PYCHAT_EVENT="join", PYCHAT_USER=NAME, PYCHAT_PEER=anna)
    check(joined, MESSAGE=f'"{NAME}" joined from {anna}', _TRANSPORT="journal")
    check(left, PYCHAT_EVENT="leave", PYCHAT_USER=NAME, PYCHAT_PEER=anna, PYCHAT_REASON="quit")
    check(left, MESSAGE=f'"{NAME}" left from {anna}: quit', _SYSTEMD_UNIT=unit)

    (joined, refused, left) = entries(f"PYCHAT_USER={FORGED}")
    check(joined, PYCHAT_EVENT="join", MESSAGE=f'"\\"; echo\\\\" joined from {forger}')
    check(refused, PYCHAT_EVENT="refuse", PYCHAT_REASON="frame", PYCHAT_PEER=forger)
    check(left, PYCHAT_EVENT="leave", PYCHAT_REASON="protocol", PYCHAT_PEER=forger)

    (left,) = entries("PYCHAT_REASON=shutdown")
    check(left, PYCHAT_EVENT="leave", PYCHAT_USER="Борис", _SYSTEMD_UNIT=unit)
    (listening_line,) = entries("PYCHAT_EVENT=listen")
    check(listening_line, PYCHAT_ADDRESS=f"127.0.0.1:{port}")

    check_what_people_read(unit, anna, port)
    check_end(unit)


def check_that_a_stuck_journal_stops_nobody(port):
    journald = ["systemctl", "kill", "--kill-whom=main", "systemd-journald.service"]
    subprocess.run([*journald, "--signal=STOP"], check=True)
    for _ in range(CALLS):
        socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS).close()
    talk(port, "Вера")
    subprocess.run([*journald, "--signal=CONT"], check=True)
    wait_for(lambda: talk(port, "Галя") and "lines are missing about here" in journalctl())


def check_that_a_journal_that_is_gone_stops_nobody(port):
    service = "systemd-journald.service"
    sockets = ["systemd-journald.socket", "systemd-journald-dev-log.socket"]
    subprocess.run(["systemctl", "stop", *sockets, service], check=True)
    talk(port, "Даша")
    subprocess.run(["systemctl", "start", *sockets, service], check=True)
    wait_for(lambda: talk(port, "Ева") and entries("PYCHAT_USER=Ева"))


def check_what_people_read(unit, anna, port):
    lines = journalctl("--unit", unit).splitlines()
    for words in [
        f"]: listening on 127.0.0.1:{port}",
        f']: "{NAME}" joined from {anna}',
        f']: "{NAME}" left from {anna}: quit',
        "]: stopped",
    ]:
        found = [line for line in lines if line.endswith(words)]
        assert len(found) == 1, f"{words!r} is there {len(found)} times:\n" + "\n".join(lines)


def check_end(unit):
    ends = entries("SYSLOG_IDENTIFIER=echo", f"_SYSTEMD_UNIT={unit}")
    assert [end["MESSAGE"] for end in ends] == ["success exited 0"], ends


def talk(port, name, last=b""):
    """Joins as `name`, says `last` and leaves; returns the address that the server knew it by."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as peer:
        peer.sendall(hello(name) + last)
        peer.shutdown(socket.SHUT_WR)
        while peer.recv(4096):
            pass
        host, port = peer.getsockname()
        return f"{host}:{port}"


def hello(name):
    payload = json.dumps({"type": "hello", "username": name}, ensure_ascii=False).encode()
    return b"%d:%s" % (len(payload), payload)


def listening(unit):
    (entry,) = wait_for(lambda: entries("PYCHAT_EVENT=listen", f"_SYSTEMD_UNIT={unit}"))
    return entry["PYCHAT_ADDRESS"]


def entries(*matches):
    lines = journalctl("--output=json", *matches).splitlines()
    return [json.loads(line) for line in lines]


def journalctl(*arguments):
    subprocess.run(["journalctl", "--sync"], check=True)
    command = ["journalctl", "--no-pager", "--quiet", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def wait_for(find):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := find()):
        assert time.monotonic() < deadline, "not in the journal:\n" + journalctl()
        time.sleep(0.05)
    return found


def check(entry, **fields):
    for field, expected in fields.items():
        assert entry.get(field) == expected, f"{field} is not {expected!r} in {entry}"


main(*sys.argv[1:])
