"""What an operator's machine holds, by named sources: the words in which one module a tool says where its files are.

A source says where, never how to read: files are recognised by what they are (`formats`), wherever they lie. So a source is a few lines
of facts, and `keyward sources` can list them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

GROUPS = ("env", "shell", "agents", "exports", "browser", "configs", "logs")
"""The groups of sources that a sweep chooses from, in the order in which they are looked through."""

OPT_IN = ("processes",)
"""Groups that are swept only when they are named."""


class Host(NamedTuple):
    """The machine that is swept. `home`: the operator's folder. `environ`: where tools were told to keep their files
    (`OPENCLAW_STATE_DIR`, `XDG_CONFIG_HOME`, …). `platform`: as `sys.platform`. `root`: of the file system, another one where a disk
    image or a container's files are swept. `running`: whether it is this machine and this user, so that there are processes and
    a journal to ask for."""

    home: str
    environ: Mapping[str, str]
    platform: str = "linux"
    root: str = "/"
    running: bool = False

    @property
    def mac(self) -> bool:
        return self.platform == "darwin"

    def variable(self, name: str, default: str) -> str:
        """The folder that a variable names, absolute; the default, relative to the home, where it is not set."""
        named = self.environ.get(name, "") or default
        if named == "~" or named.startswith("~/"):
            named = self.home + named[1:]
        return os.path.normpath(os.path.join(self.home, named))

    @property
    def config(self) -> str:
        return self.variable("XDG_CONFIG_HOME", ".config")

    @property
    def data(self) -> str:
        return self.variable("XDG_DATA_HOME", ".local/share")

    @property
    def state(self) -> str:
        return self.variable("XDG_STATE_HOME", ".local/state")

    @property
    def cache(self) -> str:
        return self.variable("XDG_CACHE_HOME", ".cache")

    @property
    def application_support(self) -> str:
        """Where macOS programs keep their data, and `~/.config` elsewhere (as Electron programs do)."""
        return os.path.join(self.home, "Library", "Application Support") if self.mac else self.config


def this_host() -> Host:
    """The machine and the user that keyward runs on and as."""
    return Host(os.path.abspath(os.path.expanduser("~")), os.environ, sys.platform, running=True)


def other_host(home: str) -> Host:
    """The host of a home folder that is named: another user's, on a mounted disk, in a backup. No variable of this process is believed.

    What lies above `home/NAME`, `Users/NAME` or `root` is taken for the root of its file system; else the folder itself is, since
    what stands beside it may be anybody's.
    """
    home = os.path.abspath(home)
    above, name = os.path.split(home)
    parent = os.path.basename(above)
    root = above if name == "root" else os.path.dirname(above) if parent in ("home", "Users") else home
    mac = os.path.isdir(os.path.join(home, "Library", "Application Support"))
    return Host(home, {}, "darwin" if mac else "linux", root)


class Spot(NamedTuple):
    """Files of one kind. `folder`: absolute; empty: anywhere below the home. `pattern`: relative to it, with `*`, `?`, `[…]` and `**`;
    a name that begins with a dot is met like any other. `format`: in a person's words (`JSON lines`, `SQLite`). `scrub`: how a scrub
    would treat it (`the value alone, in place`). `role`: `live-config` or `echo`; empty: as the path says. `opaque`: why it cannot be
    read although it is there (encrypted by its owner). `marks`: it is so only if one of these stands in its first 4 KiB, and is looked at
    anyway, since the rest of it may be plain. `root`: whether only root can read it. `history`: the files are those of a git
    repository, whose history is read as well."""

    folder: str
    pattern: str
    format: str
    scrub: str
    role: str = ""
    opaque: str = ""
    root: bool = False
    history: bool = False
    marks: tuple[bytes, ...] = ()


class Stream(NamedTuple):
    """Something that is no file (a journal, a process's environment). `shown`: as a path in the report. `open`: gives a reader of up to
    so many bytes; raises OSError with a sentence where it cannot be read. `format`, `scrub`: as for a spot."""

    shown: str
    open: Callable[[], Callable[[int], bytes]]
    format: str
    scrub: str
    role: str = "echo"
    where: str = ""


def no_streams(host: Host) -> Iterable[Stream]:
    return ()


class Tool(NamedTuple):
    """One source. `name`: unique in its group; `agents/openclaw` names it. `title`: as people call the tool. `spots`: where its files
    are on a host, the most specific first: the first one that fits a file names its source."""

    name: str
    group: str
    title: str
    spots: Callable[[Host], Iterable[Spot]]
    streams: Callable[[Host], Iterable[Stream]] = no_streams

    @property
    def full_name(self) -> str:
        return f"{self.group}/{self.name}"
