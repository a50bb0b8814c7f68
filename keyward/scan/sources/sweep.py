"""Which files of a host belong to which source: one walk of the home, and of the few folders elsewhere where tools keep files.

Nothing is opened but folders. `.git` is entered only where a source names a file in it. Links are not followed out of the home; one
that leads to another place in it is looked through there, under the source that the link's own name has, since that is how people
keep their settings in a repository of dotfiles. Other file systems below the home are entered if they are local: a network or FUSE
mount that has gone would hang the sweep, so each is named as not scanned, without being touched. (A home that is itself on
one is swept: it was asked for.)
"""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple

from keyward.model.finding import Excluded, NotScanned
from keyward.scan.sources.host import OPT_IN, Host, Spot, Tool
from keyward.scan.sources.mounts import MADE_UP, mounts, why_not_entered
from keyward.scan.sources.spot_patterns import ANY_DEPTH, Automaton, Pattern, State
from keyward.scan.sources.tree import VERSION_CONTROL, open_regular

INSTALLED = frozenset(("node_modules", "site-packages", "dist-packages", "bower_components", ".rustup"))
INSTALLED_BELOW = tuple(
    "/" + path.replace("/", os.sep)
    for path in (
        ".cargo/registry", ".cargo/git", "go/pkg/mod", ".m2/repository", ".gradle/caches", ".gradle/wrapper", ".npm/_cacache", ".npm/_npx",
        ".pyenv/versions", ".nvm/versions", ".rbenv/versions", ".asdf/installs", "mise/installs", "uv/python", "uv/tools",
        ".sdkman/candidates", ".linuxbrew", ".vscode/extensions", ".vscode-server/extensions", ".cursor/extensions", ".vscode-server/bin",
        ".windsurf/extensions", ".cache/pip", ".cache/uv", ".cache/yarn", ".cache/pnpm", ".cache/pre-commit", ".cache/ms-playwright",
        ".cache/puppeteer", ".cache/go-build", ".cache/pypoetry", ".local/share/pnpm", ".bun/install", ".deno",
        "conda/pkgs", "conda3/pkgs", "miniforge3/pkgs", "Library/Caches", ".local/share/containers", ".local/share/docker",
    )
)  # fmt: skip
"""Folders of installed packages: what fits anywhere (`.env`, `*.ipynb`) is not looked for in them, since it is not the operator's."""

SYSTEM = ("usr", "lib", "lib64", "nix", "snap", "System", "opt/homebrew")
"""Folders below the root in which only packages write: a link that leads there is to nobody's own file."""

PRECEDENCE = ("agents", "configs", "shell", "browser", "env", "logs", "exports")
"""Which group names a file that fits several: an agent's `.env` is the agent's."""

MARKS_WITHIN = 4096
"""Bytes at the beginning of a file in which `Spot.marks` are looked for."""

Ranked = tuple[str, Spot]
"""A spot and the full name of its source."""

_NAME = attrgetter("name")


class Met(NamedTuple):
    """A file and what it is. `source`: in full (`agents/openclaw`)."""

    path: str
    source: str
    spot: Spot


class Sweep:
    """One walk. `repositories`, `excluded` and `not_scanned` are whole once `files` has been exhausted."""

    def __init__(self, host: Host, tools: Iterable[Tool], *, mounted: Mapping[str, str] | None = None) -> None:
        self.not_scanned: list[NotScanned] = []
        self.repositories: list[Met] = []
        self._host = host
        self._real_home = os.path.realpath(host.home)
        self._mounted = mounts() if mounted is None else mounted
        self._spots = _ranked(host, tools)
        self._home_mount = self._mount_of(host.home)
        self._left_out: dict[str, tuple[str, int]] = {}
        self._met: set[str] = set()
        self._links: list[tuple[str, State]] = []
        self._linked_files: list[tuple[str, Ranked]] = []
        self._visited: set[tuple[str, int]] = set()

    @property
    def excluded(self) -> list[Excluded]:
        """What was left out, one entry for each reason, with how many there were."""
        return [
            Excluded(path, reason if number == 1 else f"{reason} (and {number - 1:,} more)")
            for reason, (path, number) in self._left_out.items()
        ]

    def spots_of(self, tool: Tool) -> list[Spot]:
        """A tool's spots, as files that are met have them."""
        return [spot for name, spot in self._spots if name == tool.full_name]

    def files(self) -> Iterator[Met]:
        """Each file of a chosen source once, folder by folder."""
        for root, ranks in self._roots():
            if root != self._host.home and not self._may_enter(root, self._mount_of(root)):
                continue
            automaton = Automaton([_pattern(root, spot) for _, spot in ranks])
            yield from self._walk(root, automaton.start(), ranks)
            while self._links:
                folder, state = self._links.pop()
                yield from self._walk(folder, state, ranks)
        for path, found in self._linked_files:
            yield from self._one(path, found)

    def _roots(self) -> Iterator[tuple[str, Sequence[Ranked]]]:
        """The home and the folders outside it, none below another, each with the spots in it, in their order."""
        home = self._host.home
        outside = sorted({spot.folder for _, spot in self._spots if spot.folder and not is_below(spot.folder, home)})
        tops = [home]
        for folder in outside:
            if not is_below(folder, tops[-1]) or tops[-1] == home:
                tops.append(folder)
        for top in tops:
            within = [each for each in self._spots if is_below(each[1].folder or home, top)]
            if top != home:  # it may lie above the home, which is walked by itself
                within = [each for each in within if not is_below(each[1].folder or home, home)]
            if within:
                yield top, within

    def _walk(self, root: str, start: State, ranks: Sequence[Ranked]) -> Iterator[Met]:
        pending = [(root, start)]
        while pending:
            folder, state = pending.pop()
            try:
                with os.scandir(folder) as entries:
                    listed = sorted(entries, key=_NAME)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                self.not_scanned.append(NotScanned(folder, _why_not_listed(error, state, ranks)))
                continue
            prefix = folder if folder.endswith(os.sep) else folder + os.sep
            folders: list[tuple[str, State]] = []
            bare = self._bare(folder, state, listed, ranks)
            for entry in listed:
                name = entry.name
                if bare and name == "objects":  # read as objects, with the history
                    continue
                if entry.is_dir(follow_symlinks=False):
                    below = self._enter(prefix + name, name, state, ranks)
                    if not below.hopeless:
                        folders.append((prefix + name, below))
                    continue
                rank = state.file(name)
                if entry.is_symlink():
                    self._link(prefix + name, name, state, rank, ranks)
                elif rank >= 0:
                    if name == VERSION_CONTROL:  # of a linked worktree or a submodule
                        self._repository(folder, state, ranks)
                    elif not entry.is_file(follow_symlinks=False):
                        self._leave_out(prefix + name, "not a regular file (device, socket or pipe)")
                    else:
                        yield from self._one(prefix + name, ranks[rank])
            pending.extend(reversed(folders))

    def _one(self, path: str, found: Ranked) -> Iterator[Met]:
        if path not in self._met:
            self._met.add(path)
            yield Met(path, *found)

    def _enter(self, path: str, name: str, state: State, ranks: Sequence[Ranked]) -> State:
        """The state of a folder; a hopeless one where it is left out."""
        if name == VERSION_CONTROL:
            self._repository(os.path.dirname(path), state, ranks)
            return state.named(name)
        below = state.folder(name)
        if below.hopeless:
            return below
        if self._mounted and self._real(path) in self._mounted and not self._may_enter(path, self._real(path)):
            return state.named("")
        if name in INSTALLED or path.endswith(INSTALLED_BELOW):
            own = below.own()
            if own.hopeless:
                self._leave_out(path, f"`{name}` holds installed packages: scan it by itself")
            return own
        return below

    def _repository(self, folder: str, state: State, ranks: Sequence[Ranked]) -> None:
        """Notes a repository, if a spot with a history means the files beside its `.git`, or the latter."""
        for rank, place in sorted(state.items):
            segments = state.segments(rank)
            if ranks[rank][1].history and (place == len(segments) - 1 or segments[place] == VERSION_CONTROL):
                self.repositories.append(Met(folder, *ranks[rank]))
                return

    def _bare(self, folder: str, state: State, listed: list[os.DirEntry[str]], ranks: Sequence[Ranked]) -> bool:
        """Whether a folder is itself a repository (a program's shadow copy of a project) that a spot with a history means."""
        rank = state.file("HEAD")
        if rank < 0 or not ranks[rank][1].history:
            return False
        if not {"HEAD", "objects", "refs"} <= {entry.name for entry in listed}:
            return False
        self.repositories.append(Met(folder, *ranks[rank]))
        return True

    def _link(self, path: str, name: str, state: State, rank: int, ranks: Sequence[Ranked]) -> None:
        """A link is looked through where it leads, if that is in the home. `rank`: of the pattern that its name fits as a file."""
        below = state.folder(name).own()
        if rank < 0 and below.hopeless:
            return
        try:
            aim = os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path)))
            if not self._may_enter(path, self._mount_of(aim)):
                return
            target = os.path.realpath(path)
            is_folder = stat.S_ISDIR(os.stat(target).st_mode)
        except OSError:
            return  # it leads nowhere
        if below.hopeless if is_folder else rank < 0:
            return
        if not is_below(target, self._real_home):
            # a name that a tool's files have is asked for; what lies in a tool's folder by chance is not
            by_chance = not is_folder and state.segments(rank)[-1] in (ANY_DEPTH, "*")
            if by_chance or any(is_below(target, os.path.join(self._host.root, name)) for name in SYSTEM):
                self._leave_out(path, "symbolic link that leads out of the home")
            else:
                self.not_scanned.append(NotScanned(path, f"a symbolic link out of the home: scan {target} by itself"))
            return
        inside = self._host.home + target[len(self._real_home) :]
        if not is_folder:
            self._linked_files.append((inside, ranks[rank]))
        elif (inside, id(below)) not in self._visited:
            self._visited.add((inside, id(below)))
            self._links.append((inside, below))

    def _may_enter(self, path: str, mount: str) -> bool:
        """Whether the file system mounted at `mount` is one to go into; notes why not, if it may hold anything."""
        kind = self._mounted.get(mount, "")
        reason = why_not_entered(kind)
        if not reason or mount == self._home_mount:
            return True
        if kind not in MADE_UP:
            self.not_scanned.append(NotScanned(path, reason))
        return False

    def _mount_of(self, path: str) -> str:
        """The nearest mounted folder upwards."""
        if not self._mounted:
            return ""
        folder = self._real(path)
        while folder not in self._mounted:
            above = os.path.dirname(folder)
            if above == folder:
                return ""
            folder = above
        return folder

    def _real(self, path: str) -> str:
        """A path in the home as the kernel's table has it, should the home's own name be a link."""
        home = self._host.home
        return self._real_home + path[len(home) :] if home != self._real_home and is_below(path, home) else path

    def _leave_out(self, path: str, reason: str) -> None:
        first, number = self._left_out.get(reason, (path, 0))
        self._left_out[reason] = (first, number + 1)


def why_opaque(met: Met) -> str:
    """Why a file cannot be read although it is there; empty if it can. Opens it only where its beginning decides."""
    if not met.spot.opaque or not met.spot.marks:
        return met.spot.opaque
    try:
        descriptor = open_regular(met.path, follow=False)
    except OSError:
        return ""  # whoever reads it will say what is wrong
    try:
        head = os.read(descriptor, MARKS_WITHIN)
    except OSError:
        return ""
    finally:
        os.close(descriptor)
    return met.spot.opaque if any(mark in head for mark in met.spot.marks) else ""


def is_below(path: str, folder: str) -> bool:
    """Whether a path is a folder or something in it, by the names alone."""
    return path == folder or path.startswith(folder if folder.endswith(os.sep) else folder + os.sep)


def _ranked(host: Host, tools: Iterable[Tool]) -> list[Ranked]:
    """The spots of all tools in the order in which they claim a file: by group; in a group, tools with folders of their own before
    those whose files may lie anywhere; then as the catalogue and the tool have them."""
    by_group = {group: number for number, group in enumerate((*PRECEDENCE, *OPT_IN))}
    laid_out = [(tool, tuple(tool.spots(host))) for tool in tools]
    laid_out.sort(key=lambda each: (by_group[each[0].group], any(not spot.folder for spot in each[1])))
    return [(tool.full_name, _normal(spot)) for tool, spots in laid_out for spot in spots]


def _normal(spot: Spot) -> Spot:
    return spot._replace(folder=os.path.normpath(spot.folder)) if spot.folder else spot


def _pattern(root: str, spot: Spot) -> Pattern:
    """A spot as seen from a folder that its own is in."""
    names = tuple(name for name in spot.pattern.split("/") if name)
    if not spot.folder:
        return Pattern((ANY_DEPTH, *names), anywhere=True)
    between = spot.folder[len(root) :].strip(os.sep)
    return Pattern((*(glob.escape(name) for name in between.split(os.sep) if name), *names))


def _why_not_listed(error: OSError, state: State, ranks: Sequence[Ranked]) -> str:
    if isinstance(error, PermissionError) and any(ranks[rank][1].root for rank, _ in state.items):
        return "only root can read it: sweep it as root"
    return (error.strerror or type(error).__name__).lower()
