"""What a process can do within the unit's sandbox, tried out by one that is started there.

Prints one JSON object on standard output: the name of what was tried, and `null` if it worked, else
the error's name."""

import ctypes
import errno
import json
import mmap
import os
import socket
import subprocess
import sys

libc = ctypes.CDLL(None, use_errno=True)


def call(function, *arguments):
    if getattr(libc, function)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), function)


def write(path):
    with open(path, "w") as file:
        file.write("x")


TRIED = {
    "keep something": lambda: write(os.environ["STATE_DIRECTORY"] + "/probe"),
    "use a scratch file": lambda: write("/tmp/probe"),
    "listen": lambda: socket.socket(socket.AF_INET6).bind(("::1", 0)),
    "reach the journal": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).connect(
        "/run/systemd/journal/socket"
    ),
    "read its configuration": lambda: open("/etc/pychat-server/pychat-server.toml").close(),
    "change its configuration": lambda: write("/etc/pychat-server/pychat-server.toml"),
    "write in /etc": lambda: write("/etc/probe"),
    "write in /usr": lambda: write("/usr/probe"),
    "write in /var": lambda: write("/var/probe"),
    "read passwords": lambda: open("/etc/shadow").close(),
    "look into homes": lambda: os.listdir("/home"),
    "look into root's home": lambda: os.listdir("/root"),
    "see others' processes": lambda: os.stat("/proc/1"),
    "ask for the machine's addresses": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "read packets": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    "run what it wrote": lambda: mmap.mmap(
        -1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    ),
    "run a shell": lambda: subprocess.run(["/bin/sh", "-c", "true"], check=True),
    "change its root": lambda: os.chroot("/tmp"),
    "become root": lambda: os.setuid(0),
    "go before others": lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)),
    "mount": lambda: call("mount", b"none", b"/tmp", b"tmpfs", 0, None),
    "make a namespace": lambda: call("unshare", 0x10000000),
    "set the clock": lambda: call("settimeofday", b"\0" * 16, None),
    "rename the machine": lambda: socket.sethostname("probe"),
    "make a file that runs as its owner": lambda: os.chmod("/tmp/probe", 0o4755),
    "read the kernel's log": lambda: call("klogctl", 3, b"\0" * 64, 64),
    "use a disk": lambda: os.mknod("/tmp/disk", 0o60600, os.makedev(8, 0)),
}


def main():
    found = {}
    for name, attempt in TRIED.items():
        try:
            attempt()
            found[name] = None
        except OSError as error:
            found[name] = errno.errorcode.get(error.errno, str(error.errno))
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
