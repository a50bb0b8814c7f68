"""`keyward sources`: what a sweep of a host would look through, without opening a single file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple

from keyward.flows.scan_host import hosts
from keyward.model.finding import Excluded, NotScanned
from keyward.scan.sources.catalogue import chosen
from keyward.scan.sources.host import Host, Spot, Tool
from keyward.scan.sources.sweep import Met, Sweep, why_opaque

READABLE = "yes"


class Row(NamedTuple):
    """Files of one source that are of one format and treated alike, or one stream.

    `source`: in full. `where`: a path with patterns, the home written `~`. `files`, `bytes`: how many and how large. `readable`: `yes`, or
    why not, with how many where it is not so of all. `scrub`: how a scrub would treat them.
    """

    source: str
    title: str
    where: str
    files: int
    bytes: int
    format: str
    readable: str
    role: str
    scrub: str


class Listing(NamedTuple):
    """`rows`: in the order of the groups. `not_scanned`, `excluded`: what the walk could not or would not look at."""

    home: str
    rows: tuple[Row, ...]
    not_scanned: tuple[NotScanned, ...]
    excluded: tuple[Excluded, ...]


def listing(homes: tuple[str, ...] = (), sources: Iterable[str] = (), *, everything: bool = False) -> list[Listing]:
    """What there is, a listing for each home. `everything`: places where there is nothing as well.

    Raises UsageError for a home or a source that is not there.
    """
    tools = chosen(sources)
    return [_of(host, tools, everything) for host in hosts(homes)]


class _Tally:
    """What was met of one spot."""

    def __init__(self) -> None:
        self.files = 0
        self.bytes = 0
        self.reasons: dict[str, int] = {}

    def add(self, met: Met) -> None:
        self.files += 1
        reason = why_opaque(met)
        try:
            self.bytes += os.lstat(met.path).st_size
            if not reason and not os.access(met.path, os.R_OK):
                reason = "only root can read it" if met.spot.root else "permission denied"
        except OSError as error:
            reason = (error.strerror or "vanished").lower()
        if reason:
            self.reasons[reason] = self.reasons.get(reason, 0) + 1

    @property
    def readable(self) -> str:
        if not self.reasons:
            return READABLE if self.files else "nothing there"
        said = [
            why if number == self.files else f"{why} ({number:,} of {self.files:,})" for why, number in self.reasons.items()
        ]
        return f"no: {'; '.join(said)}" if sum(self.reasons.values()) == self.files else f"partly: {'; '.join(said)}"


def _of(host: Host, tools: tuple[Tool, ...], everything: bool) -> Listing:
    sweep = Sweep(host, tools)
    tallies: dict[tuple[str, Spot], _Tally] = {}
    for met in sweep.files():
        tallies.setdefault((met.source, met.spot), _Tally()).add(met)
    rows: list[Row] = []
    for tool in tools:
        spots = dict.fromkeys(sweep.spots_of(tool))
        for spot in spots:
            tally = tallies.get((tool.full_name, spot))
            if tally is not None or everything:
                rows.append(_row(host, tool, spot, tally or _Tally()))
        for stream in tool.streams(host) if host.running else ():
            rows.append(
                Row(
                    tool.full_name,
                    tool.title,
                    stream.shown,
                    1,
                    0,
                    stream.format,
                    "asked when it is scanned",
                    stream.role,
                    stream.scrub,
                )
            )
    return Listing(host.home, tuple(rows), tuple(sweep.not_scanned), tuple(sweep.excluded))


def _row(host: Host, tool: Tool, spot: Spot, tally: _Tally) -> Row:
    return Row(
        tool.full_name, tool.title, shown(host, spot), tally.files, tally.bytes, spot.format, tally.readable, spot.role or "by its name",
        spot.scrub,
    )  # fmt: skip


def shown(host: Host, spot: Spot) -> str:
    """Where a spot's files are, for a person."""
    if not spot.folder:
        return f"~/**/{spot.pattern}"
    folder = spot.folder
    if folder == host.home or folder.startswith(host.home.rstrip("/") + "/"):
        folder = "~" + folder[len(host.home.rstrip("/")) :]
    return f"{folder.rstrip('/')}/{spot.pattern}"
