"""Which folders are the top of another file system, and which of these may be slow, without end, or gone."""

from __future__ import annotations

import re
from collections.abc import Mapping

REMOTE = frozenset(
    [
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "ncpfs",
        "afs",
        "9p",
        "ceph",
        "glusterfs",
        "lustre",
        "gpfs",
        "beegfs",
        "ocfs2",
        "davfs",
        "autofs",
        "afpfs",
        "webdav",
        "fuse",
    ]
)
"""File systems whose owner is another machine. Reading may wait for it without end, and the bytes are kept elsewhere."""

MADE_UP = frozenset(
    [
        "proc",
        "sysfs",
        "devtmpfs",
        "devpts",
        "cgroup",
        "cgroup2",
        "debugfs",
        "tracefs",
        "securityfs",
        "binfmt_misc",
        "mqueue",
        "configfs",
    ]
)
"""File systems that hold no file of anybody's."""

_OCTAL = re.compile(r"\\([0-7]{3})")


def mounts(table: str = "/proc/self/mountinfo") -> Mapping[str, str]:
    """The type of the file system mounted at each folder, from the kernel's table: no mounted folder is touched for it. Empty where
    there is no such table (macOS)."""
    try:
        with open(table, encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError:
        return {}
    found: dict[str, str] = {}
    for line in lines:
        fields = line.split(" ")
        if "-" in fields[6:]:
            folder = _OCTAL.sub(lambda match: chr(int(match[1], 8)), fields[4])
            found[folder] = fields[fields.index("-", 6) + 1]
    return found


def why_not_entered(kind: str) -> str:
    """Why a walk does not go into a file system of this type; empty if it does."""
    if kind in MADE_UP:
        return f"a file system that the kernel makes up ({kind})"
    if kind in REMOTE or kind.startswith("fuse."):
        return f"on another file system ({kind}) that may wait without end: name the folder to scan it"
    return ""
