"""What is gone after a restart: processes, connections, who is logged in. It may hold secrets (arguments of processes), so that it goes
nowhere but into the encrypted copies."""

from __future__ import annotations

import os
from collections.abc import Mapping

from keyward.incident.host_areas import Output

COMMANDS = {
    "who.txt": ("who", "--all"),
    "last.txt": ("last", "--limit", "200", "--fullnames"),
    "sockets.txt": ("ss", "--all", "--numeric", "--processes"),
    "containers.txt": ("docker", "ps", "--all", "--no-trunc"),
    "timers.txt": ("systemctl", "list-timers", "--all", "--no-pager"),
    "units.txt": ("systemctl", "list-units", "--all", "--no-pager"),
}
"""What is asked of the system's own tools, where they are; each only reads."""


def volatile(output: Output, proc: str = "/proc") -> Mapping[str, bytes]:
    """The texts by file name."""
    found = {"processes.txt": _processes(proc)}
    for table in ("tcp", "tcp6", "udp", "udp6", "unix"):
        data = _read(os.path.join(proc, "net", table))
        if data:
            found[f"net-{table}.txt"] = data
    for name, argv in COMMANDS.items():
        printed = output(argv)
        if printed:
            found[name] = printed
    return found


def _processes(proc: str) -> bytes:
    """A line a process: pid, parent, uid, program, arguments."""
    lines = []
    try:
        names = sorted((name for name in os.listdir(proc) if name.isdigit()), key=int)
    except OSError:
        return b""
    for name in names:
        folder = os.path.join(proc, name)
        status = dict(line.partition(b":")[::2] for line in _read(os.path.join(folder, "status")).splitlines())
        try:
            program = os.fsencode(os.readlink(os.path.join(folder, "exe")))
        except OSError:
            program = b"?"
        arguments = _read(os.path.join(folder, "cmdline")).replace(b"\0", b" ").strip()
        uid = (status.get(b"Uid", b"?").split() or [b"?"])[0]
        lines.append(b"\t".join((name.encode(), status.get(b"PPid", b"?").strip(), uid, program, arguments)))
    return b"\n".join(lines) + b"\n"


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(16 << 20)
    except OSError:
        return b""
