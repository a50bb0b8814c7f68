"""Reads the areas of a host's record: what stands in the places where somebody leaves something to come back with.

Reads only; opens nothing but regular files, none larger than `LARGEST`. Where a file may not be read, that is noted: a sweep as root
sees more than one as a user.

Facts: sshd(8) on authorized_keys; crontab(5), and cron(8) of Debian and of cronie for the spool folders; systemd.unit(5) for the
unit folders; proc(5) for /proc/net/tcp (address in the host's byte order, state 0A is listening) and /proc/net/udp (07 is bound).
"""

from __future__ import annotations

import base64
import binascii
import glob
import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from keyward.incident.host_record import (
    AUTHORIZED_KEYS,
    CONFIG,
    CRON,
    ENV_FILE,
    IMAGE,
    PORT,
    SHELL_FILE,
    SYSTEMD,
    USER,
    Hasher,
    Item,
)

LARGEST = 4 << 20
"""Bytes of the largest file that is read."""

GROUPS = ("sudo", "wheel", "docker", "root", "adm", "lxd", "admin")
"""Groups whose members can become root."""

EPHEMERAL = 32768
"""The first port that Linux gives out by itself (ip_local_port_range)."""

Output = Callable[[Sequence[str]], "bytes | None"]
"""What a command that only reads prints; None if it cannot be run or fails."""


class Places(NamedTuple):
    """The machine. `root`: of its file system. `home`: the operator's, as seen from here. `env_files`, `configs`: files to record, as seen from here."""

    home: str
    root: str = "/"
    env_files: tuple[str, ...] = ()
    configs: tuple[str, ...] = ()


class Gathered:
    """What was read so far."""

    def __init__(self, hasher: Hasher) -> None:
        self.areas: dict[str, dict[str, Item]] = {}
        self.unreadable: dict[str, str] = {}
        self._hasher = hasher

    def add(self, area: str, name: str, content: bytes, shown: str = "", time: float = 0.0) -> None:
        """One item; a second one of the same name gets a number."""
        items = self.areas.setdefault(area, {})
        unique, number = name, 2
        while unique in items:
            unique, number = f"{name} #{number}", number + 1
        items[unique] = Item(self._hasher(area, unique, content), shown, time)

    def read(self, path: str) -> tuple[bytes, float] | None:
        """A regular file and its time; None, and why, for one that is not to be read. One that is not there is no news."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self.unreadable[path] = (error.strerror or "cannot be read").lower()
            return None
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(descriptor)
            return None
        with os.fdopen(descriptor, "rb") as file:
            if status.st_size > LARGEST:
                self.unreadable[path] = f"larger than {LARGEST >> 20} MiB"
                return None
            try:
                return file.read(LARGEST), status.st_mtime
            except OSError as error:
                self.unreadable[path] = (error.strerror or "cannot be read").lower()
                return None

    def below(self, folder: str, *, deep: bool = False) -> Iterator[str]:
        """The names in a folder, in order."""
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            self.unreadable[folder] = (error.strerror or "cannot be read").lower()
            return
        for entry in found:
            if deep and entry.is_dir(follow_symlinks=False):
                yield from self.below(entry.path, deep=True)
            else:
                yield entry.path


def gather(places: Places, into: Gathered, output: Output) -> None:
    """Reads all areas."""
    homes = list(_users(places, into))
    for name, home in homes:
        _keys(places, into, name, home)
        _shell_files(into, home)
        _units(into, os.path.join(home, ".config/systemd/user"))
    for folder in ("etc/systemd/system", "etc/systemd/user", "run/systemd/transient"):
        _units(into, os.path.join(places.root, folder))
    _cron(places, into, output)
    _system_files(places, into)
    _ports(places, into)
    _images(into, output)
    for path in dict.fromkeys(places.env_files):
        _env_file(into, path)
    for path in dict.fromkeys(places.configs):
        _whole(into, CONFIG, path)


def _users(places: Places, into: Gathered) -> Iterator[tuple[str, str]]:
    """The users with a home that there is; the operator's own first, though it may not be in the list."""
    yield "", places.home
    seen = {os.path.realpath(places.home)}
    for line in _lines(into, os.path.join(places.root, "etc/passwd")):
        fields = line.split(b":")
        if len(fields) != 7:
            continue
        name, uid, home, shell = (os.fsdecode(fields[number]) for number in (0, 2, 5, 6))
        into.add(USER, f"user {name}", line, f"uid {uid}, {shell or 'no shell'}")
        real = os.path.realpath(os.path.join(places.root, home.lstrip("/")))
        if real not in seen and os.path.isdir(real) and not shell.endswith(("nologin", "false")):
            seen.add(real)
            yield name, real
    for line in _lines(into, os.path.join(places.root, "etc/group")):
        group, _, _, members = ([os.fsdecode(field) for field in line.split(b":")] + ["", "", "", ""])[:4]
        if group in GROUPS:
            for member in filter(None, members.split(",")):
                into.add(USER, f"member of {group}: {member}", b"")


def _lines(into: Gathered, path: str) -> list[bytes]:
    found = into.read(path)
    return [line for line in found[0].split(b"\n") if line.strip()] if found else []


def _keys(places: Places, into: Gathered, user: str, home: str) -> None:
    names = [os.path.join(home, ".ssh", name) for name in ("authorized_keys", "authorized_keys2")]
    if user:
        names.append(os.path.join(places.root, "etc/ssh/authorized_keys.d", user))
    for path in names:
        found = into.read(path)
        for line in found[0].split(b"\n") if found else ():
            if line.strip() and not line.lstrip().startswith(b"#"):
                fingerprint, comment = _key(line)
                into.add(AUTHORIZED_KEYS, f"{path} {fingerprint}", line.strip(), comment, found[1] if found else 0.0)


_TYPE = re.compile(rb"(?:^|[\s])((?:ssh|ecdsa|sk)-[a-z0-9@.\-]+)\s+([A-Za-z0-9+/=]{16,})(?:\s+(.*))?$")


def _key(line: bytes) -> tuple[str, str]:
    """The fingerprint as ssh-keygen shows it, and the comment."""
    match = _TYPE.search(line.strip())
    if match is None:
        return "a line that is no key", ""
    try:
        blob = base64.b64decode(match[2], validate=True)
    except (ValueError, binascii.Error):
        return "a line that is no key", ""
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    options = " with options" if match.start(1) > 0 else ""
    return f"SHA256:{digest}", os.fsdecode((match[3] or b"").strip())[:120] + options


SHELL_FILES = (
    ".bashrc", ".bash_profile", ".bash_login", ".profile", ".bash_logout", ".bash_aliases", ".zshrc", ".zshenv", ".zprofile", ".zlogin",
    ".config/fish/config.fish", ".pam_environment", ".ssh/rc", ".ssh/environment", ".inputrc", ".xprofile", ".xsessionrc",
)  # fmt: skip


def _shell_files(into: Gathered, home: str) -> None:
    for name in SHELL_FILES:
        _whole(into, SHELL_FILE, os.path.join(home, name))
    for folder in (".config/fish/conf.d", ".config/autostart"):
        for path in into.below(os.path.join(home, folder)):
            _whole(into, SHELL_FILE, path)


def _whole(into: Gathered, area: str, path: str) -> None:
    """A file as a whole; a link by what it leads to as well."""
    found = into.read(path)
    if found is not None:
        target = os.readlink(path) if os.path.islink(path) else ""
        into.add(area, path, os.fsencode(target) + b"\n" + found[0], f"a link to {target}" if target else "", found[1])


def _units(into: Gathered, folder: str) -> None:
    for path in into.below(folder, deep=True):
        if os.path.islink(path):
            target = os.readlink(path)
            into.add(SYSTEMD, path, os.fsencode(target), "switched off" if target == "/dev/null" else f"a link to {target}")
        else:
            _whole(into, SYSTEMD, path)


_SYSTEM_SHELL = (
    "etc/profile",
    "etc/bash.bashrc",
    "etc/zsh/zshrc",
    "etc/zsh/zshenv",
    "etc/environment",
    "etc/ld.so.preload",
    "etc/rc.local",
)
_SYSTEM_CONFIG = (
    "etc/ssh/sshd_config",
    "etc/sudoers",
    "etc/hosts",
    "etc/pam.d/sshd",
    "etc/pam.d/sudo",
    "etc/docker/daemon.json",
)


def _system_files(places: Places, into: Gathered) -> None:
    for name in _SYSTEM_SHELL:
        _whole(into, SHELL_FILE, os.path.join(places.root, name))
    for path in into.below(os.path.join(places.root, "etc/profile.d")):
        _whole(into, SHELL_FILE, path)
    for name in _SYSTEM_CONFIG:
        _whole(into, CONFIG, os.path.join(places.root, name))
    for folder in ("etc/sudoers.d", "etc/ssh/sshd_config.d"):
        for path in into.below(os.path.join(places.root, folder)):
            _whole(into, CONFIG, path)


def _cron(places: Places, into: Gathered, output: Output) -> None:
    for name, user_field in (("etc/crontab", True), ("etc/anacrontab", False)):
        _crontab(into, os.path.join(places.root, name), user_field=user_field)
    for path in into.below(os.path.join(places.root, "etc/cron.d")):
        _crontab(into, path, user_field=True)
    for period in ("hourly", "daily", "weekly", "monthly"):
        for path in into.below(os.path.join(places.root, f"etc/cron.{period}")):
            _whole(into, CRON, path)
    spools = [os.path.join(places.root, name) for name in ("var/spool/cron/crontabs", "var/spool/cron")]
    for folder in spools:
        for path in into.below(folder):
            _crontab(into, path, user_field=False)
    if places.root == "/" and any(spool in into.unreadable for spool in spools):
        mine = output(("crontab", "-l"))  # a user may see his own, though not where it lies
        if mine is not None:
            _jobs(into, "crontab -l", mine, 0.0, user_field=False)


def _crontab(into: Gathered, path: str, *, user_field: bool) -> None:
    found = into.read(path)
    if found is not None:
        _jobs(into, path, found[0], found[1], user_field=user_field)


_JOB = re.compile(rb"(@\w+|(?:\S+\s+){4}\S+)\s+(.+)")


def _jobs(into: Gathered, path: str, text: bytes, time: float, *, user_field: bool) -> None:
    for line in text.split(b"\n"):
        line = line.strip()
        if not line or line.startswith(b"#"):
            continue
        match = _JOB.fullmatch(line)
        setting = re.match(rb"[A-Za-z_][A-Za-z0-9_]*\s*=", line)
        if setting or match is None:
            name = os.fsdecode(line.partition(b"=")[0].strip()) if setting else "a line that is no job"
            into.add(CRON, f"{path}: {name[:60]}", line, time=time)
            continue
        words = match[2].split()
        program = words[1] if user_field and len(words) > 1 else words[0]
        # the command line itself may hold a secret: of it, only the program is shown
        shown = f"{os.fsdecode(match[1])} {os.path.basename(os.fsdecode(program))[:60]}"
        into.add(CRON, f"{path}: {shown}", line, time=time)


def _ports(places: Places, into: Gathered) -> None:
    names = _names_of_sockets(places)
    for table, listening in (("tcp", b"0A"), ("tcp6", b"0A"), ("udp", b"07"), ("udp6", b"07")):
        for line in _lines(into, os.path.join(places.root, "proc/net", table))[1:]:
            fields = line.split()
            if len(fields) < 10 or fields[3] != listening:
                continue
            address, _, port = fields[1].partition(b":")
            number = int(port, 16)
            if table.startswith("udp") and number >= EPHEMERAL:  # a client's own, another one each time
                continue
            program = names.get(fields[9], "")
            shown = _address(address)
            name = f"{table[:3]} {shown}:{number}"
            if number >= EPHEMERAL and shown.startswith(("127.", "[::1]")):
                continue  # where programs talk to themselves, on another port each time; nobody comes in by it from outside
            if name not in into.areas.get(PORT, {}):
                into.add(PORT, name, b"", program)


def _address(hexadecimal: bytes) -> str:
    """`/proc/net/tcp`'s address: 32-bit words, each in the host's byte order (little-endian on all that keyward runs on)."""
    import ipaddress

    raw = bytes.fromhex(hexadecimal.decode("ascii"))
    turned = b"".join(raw[start : start + 4][::-1] for start in range(0, len(raw), 4))
    address = ipaddress.ip_address(turned)
    return f"[{address}]" if address.version == 6 else str(address)


def _names_of_sockets(places: Places) -> dict[bytes, str]:
    """Which program holds a socket, by inode, as far as one may see."""
    names: dict[bytes, str] = {}
    if places.root != "/":
        return names
    for link in glob.iglob("/proc/[0-9]*/fd/*"):
        try:
            target = os.readlink(link)
            if target.startswith("socket:["):
                with open(os.path.join(os.path.dirname(link), "../comm"), "rb") as file:
                    names[target[8:-1].encode()] = os.fsdecode(file.read(64).strip())
        except OSError:
            continue
    return names


def _images(into: Gathered, output: Output) -> None:
    listed = output(("docker", "ps", "--all", "--no-trunc", "--format", "{{.Names}}\t{{.Image}}\t{{.State}}"))
    for line in (listed or b"").splitlines():
        name, _, rest = os.fsdecode(line).partition("\t")
        image = rest.partition("\t")[0]
        into.add(IMAGE, f"container {name}", image.encode("utf-8", "surrogateescape"), image)
    listed = output(
        ("docker", "images", "--no-trunc", "--digests", "--format", "{{.Repository}}:{{.Tag}}\t{{.Digest}}\t{{.ID}}")
    )
    for line in (listed or b"").splitlines():
        name, _, digest = os.fsdecode(line).partition("\t")
        if name != "<none>:<none>":
            into.add(IMAGE, f"image {name}", os.fsencode(digest), digest.rpartition("\t")[2][:19])


_VARIABLE = re.compile(rb"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.]*)\s*=(.*)")


def _env_file(into: Gathered, path: str) -> None:
    """Variable by variable, so that what was put in between is seen, and its name."""
    found = into.read(path)
    if found is None:
        return
    rest: list[bytes] = []
    for line in found[0].split(b"\n"):
        match = _VARIABLE.fullmatch(line.rstrip(b"\r"))
        if match:
            into.add(ENV_FILE, f"{path} {os.fsdecode(match[1])}", match[2].strip(), time=found[1])
        elif line.strip() and not line.lstrip().startswith(b"#"):
            rest.append(line)
    if rest:
        into.add(ENV_FILE, f"{path} other lines", b"\n".join(rest), time=found[1])


def expand(patterns: Iterable[str]) -> tuple[str, ...]:
    """The files that paths with `*`, `**` and `~` lead to."""
    found = []
    for pattern in patterns:
        found += sorted(glob.glob(os.path.expanduser(pattern), recursive=True, include_hidden=True))
    return tuple(path for path in dict.fromkeys(found) if os.path.isfile(path))
