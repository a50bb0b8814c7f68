"""Logs: of programs in the home, of the system, of containers and of CI runners; rotated and compressed ones as well."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator

from keyward.scan.roles import ECHO
from keyward.scan.sources.host import Host, Spot, Stream, Tool

_IN_PLACE = "the value alone, in place; a program that writes there must be told to open it again"
_PACKED = "unpacked, scrubbed and packed anew, with its owner, mode and time"
_PACKINGS = ("gz", "xz", "zst", "bz2")
_DOCKER = "truncated through Docker: the daemon holds the file open"
_JOURNAL = "not in place: `journalctl --rotate`, then `--vacuum-time`"
_TIMEOUT = 300.0
"""Seconds that the journal may take to be read."""


def _log_names(*names: str) -> Iterator[tuple[str, str]]:
    """Patterns of logs, of what rotation makes of them, and of what is packed; each with how it is scrubbed."""
    for name in names:
        yield name, _IN_PLACE
        for ending in (".[0-9]", ".[0-9][0-9]", "-[0-9]*", ".old", ".[0-9]*"):
            yield name + ending, _IN_PLACE
        for packing in _PACKINGS:
            yield f"{name}.{packing}", _PACKED
            yield f"{name}[.-]*.{packing}", _PACKED


def _npm(host: Host) -> Iterator[Spot]:
    cache = host.variable("NPM_CONFIG_CACHE", ".npm")
    yield Spot(cache, "_logs/**", "text", "delete it", ECHO)
    for pattern in (
        "npm-debug.log*",
        "yarn-error.log*",
        "yarn-debug.log*",
        "pnpm-debug.log*",
        ".pnpm-debug.log*",
        "lerna-debug.log*",
    ):
        yield Spot("", pattern, "text", "delete it", ECHO)
    for folder in (".bun/**/*.log", ".yarn/**/*.log", ".local/share/pnpm/**/*.log", ".node-gyp/**/*.log"):
        yield Spot(host.home, folder, "text", "delete it", ECHO)


def _pip(host: Host) -> Iterator[Spot]:
    for pattern in (".pip/pip.log*", ".pip/*.log*", "pip-log.txt", ".local/state/pip/*.log", ".cache/pip/**/*.log", ".cache/pypoetry/**/*.log",
                    ".local/state/uv/**", ".conda/**/*.log"):  # fmt: skip
        yield Spot(host.home, pattern, "text", "delete it", ECHO)


def _programs(host: Host) -> Iterator[Spot]:
    """What any program writes where programs write logs."""
    for folder in dict.fromkeys((host.cache, host.state, host.data, host.config)):
        for pattern, scrub in _log_names("*.log"):
            yield Spot(folder, f"**/{pattern}", "log", scrub, ECHO)
        for pattern in ("**/log/**", "**/logs/**"):
            yield Spot(folder, pattern, "log", _IN_PLACE, ECHO)
    if host.mac:
        yield Spot(os.path.join(host.home, "Library", "Logs"), "**", "log", _IN_PLACE, ECHO)
    for pattern in (
        "logs/**",
        "log/**",
        ".logs/**",
        ".log/**",
        "var/log/**",
        ".pm2/logs/**",
        ".pm2/*.log",
        ".forever/**",
        ".supervisor/**",
    ):
        yield Spot(host.home, pattern, "log", _IN_PLACE, ECHO)
    for pattern in (".xsession-errors*", ".xsession-errors.old", "nohup.out", ".wget-log*", "strace*.out", "strace.*", "*.strace",
                    "core", "core.[0-9]*", "*.core"):  # fmt: skip
        yield Spot(host.home, pattern, "log, trace or core dump", "delete it", ECHO)
    yield Spot("", "nohup.out", "log", _IN_PLACE, ECHO)


def _anywhere(host: Host) -> Iterator[Spot]:
    for pattern, scrub in _log_names("*.log"):
        yield Spot("", pattern, "log", scrub, ECHO)


def _runners(host: Host) -> Iterator[Spot]:
    """GitHub's runner keeps a log of each job in `_diag`; downloaded logs are zip archives of texts."""
    for pattern in ("actions-runner*/_diag/**", "actions-runner*/_work/_temp/**", "_diag/**", "builds/**/*.log", ".gitlab-runner/**/*.log",
                    ".act/**/*.log", ".cache/act/**/*.log", ".jenkins/jobs/**/log", ".circleci/**/*.log"):  # fmt: skip
        yield Spot(host.home, pattern, "log with a time before each line", _IN_PLACE, ECHO)
    for pattern in ("ci-logs/**", "job-logs/**", "logs_[0-9]*.zip", "Downloads/logs_[0-9]*.zip"):
        yield Spot(host.home, pattern, "log with a time before each line", _IN_PLACE, ECHO)


def _containers(host: Host) -> Iterator[Spot]:
    """Docker's json-file records, and the CRI's files."""
    rootless = os.path.join(host.data, "docker", "containers")
    yield Spot(rootless, "*/*-json.log*", "Docker's JSON records", _DOCKER, ECHO)
    yield Spot(os.path.join(host.data, "containers", "storage"), "**/ctr.log*", "CRI log", _IN_PLACE, ECHO)
    for pattern in ("pods/**/*.log*", "pod-logs/**", "containers/**/*-json.log*"):
        yield Spot(host.home, pattern, "CRI log", _IN_PLACE, ECHO)
    docker = os.path.join(host.root, "var", "lib", "docker", "containers")
    yield Spot(docker, "*/*-json.log*", "Docker's JSON records", _DOCKER, ECHO, root=True)
    yield Spot(
        os.path.join(host.root, "var", "lib", "containers", "storage"), "**/ctr.log*", "CRI log", _IN_PLACE, ECHO, root=True
    )
    yield Spot(os.path.join(host.root, "var", "log", "pods"), "**/*.log*", "CRI log", _IN_PLACE, ECHO, root=True)


def _system(host: Host) -> Iterator[Spot]:
    folder = os.path.join(host.root, "var", "log")
    journal = "a journal; its text is read through journalctl"
    yield Spot(folder, "journal/**", "systemd journal", _JOURNAL, ECHO, opaque=journal, root=True)
    yield Spot(folder, "**", "log", _IN_PLACE, ECHO, root=True)


def _journal(host: Host) -> Iterable[Stream]:
    """The user's own part of the journal, and the system's if the user may read it. None for another machine's disk, and none where
    no journal is kept: a host without systemd has no journalctl, and nothing that it could show."""
    if host.running and not host.mac and any(map(_kept, _journal_folders(host))):
        yield Stream("journal", open_journal, "systemd journal", _JOURNAL)


def _journal_folders(host: Host) -> Iterator[str]:
    """Where systemd-journald keeps its files: one folder a machine, on the disk or until the next start."""
    for above in ("var", "run"):
        yield os.path.join(host.root, above, "log", "journal")


def _kept(folder: str) -> bool:
    """Whether there is a journal's file in a folder of folders; also where one of them cannot be listed, since something is there."""
    try:
        with os.scandir(folder) as machines:
            return any(_has_file(each) for each in machines)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True


def _has_file(entry: os.DirEntry[str]) -> bool:
    try:
        if not entry.is_dir():
            return _is_journal(entry.name)
        with os.scandir(entry.path) as files:
            return any(_is_journal(each.name) for each in files)
    except FileNotFoundError:
        return False  # it has just gone
    except OSError:
        return True


def _is_journal(name: str) -> bool:
    """`system.journal`, `user-1000@….journal`, and `….journal~` where one was not closed."""
    return name.endswith((".journal", ".journal~"))


def open_journal(binary: str = "journalctl") -> Callable[[int], bytes]:
    """Reads the journal's records as JSON lines. Raises OSError where there is no journalctl."""
    path = shutil.which(binary)
    if path is None:
        raise OSError("journalctl is not installed")
    from keyward.scan.sources.journal import Journal

    arguments = [path, "--output=json", "--all", "--quiet", "--no-pager", "--output-fields=MESSAGE,_CMDLINE,COREDUMP_ENVIRON"]
    process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return Journal(process, _TIMEOUT).read


TOOLS: tuple[Tool, ...] = (
    Tool("npm", "logs", "npm, Yarn, pnpm", _npm),
    Tool("pip", "logs", "pip, Poetry, uv", _pip),
    Tool("runners", "logs", "CI runners", _runners),
    Tool("containers", "logs", "Docker, Podman, containerd", _containers),
    Tool("programs", "logs", "programs of the user", _programs),
    Tool("journal", "logs", "systemd journal", lambda host: (), _journal),
    Tool("system", "logs", "system logs", _system),
    Tool("other", "logs", "logs anywhere in the home", _anywhere),
)
