"""Zed: threads are JSON in zstd in SQLite. Source: crates/agent/src/db.rs."""

from __future__ import annotations

import os
from collections.abc import Iterator

from keyward.scan.roles import LIVE
from keyward.scan.sources.agents import ANY, JSON, LOG, ROWS, SETTINGS, SQLITE, TEXT, WHOLE, databases, files
from keyward.scan.sources.host import Host, Spot, Tool


def _spots(host: Host) -> Iterator[Spot]:
    data = os.path.join(host.application_support, "Zed") if host.mac else os.path.join(host.data, "zed")
    packed = f"unpacked, the value alone, packed again; {ROWS}"
    for ending in ("", "-wal"):
        yield from files(data, f"{SQLITE}, zstd in it", packed, f"threads/*.db{ending}")
    yield from databases(data, "db/**/db.sqlite", "**/*.sqlite", "**/*.db")
    yield from files(data, "LMDB", TEXT, "prompts/**/*.mdb")
    yield from files(data, JSON, WHOLE, "conversations/*.zed.json")
    yield from files(data, LOG, TEXT, "logs/**")
    for folder in (os.path.join(host.home, ".config", "zed"), os.path.join(host.config, "zed")):
        yield from files(folder, "JSON5", SETTINGS, "settings.json", role=LIVE)
        yield from files(folder, JSON, WHOLE, "conversations/*.json")
        yield from files(folder, ANY, TEXT, "*", "prompts/**")
    yield from files("", "JSON5", SETTINGS, ".zed/settings.json", role=LIVE)
    yield from files(os.path.join(host.home, "Library", "Logs", "Zed"), LOG, TEXT, "**")


TOOLS = (Tool("zed", "agents", "Zed", _spots),)
