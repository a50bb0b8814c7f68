"""Amp. Its threads are copies of what its server keeps: deleting one there is what counts."""

from __future__ import annotations

import os
from collections.abc import Iterator

from keyward.scan.roles import LIVE
from keyward.scan.sources.agents import ANY, JSON, JSONL, LINES, LOG, LOGIN, SETTINGS, TEXT, WHOLE, files
from keyward.scan.sources.host import Host, Spot, Tool


def _spots(host: Host) -> Iterator[Spot]:
    data = os.path.join(host.data, "amp")
    yield from files(data, JSON, f"{WHOLE}; the server has it, too", "threads/*.json")
    yield from files(data, JSON, LOGIN, "secrets.json", role=LIVE)
    yield from files(data, JSONL, LINES, "history.jsonl")
    yield from files(data, ANY, TEXT, "**")
    yield from files(os.path.join(host.config, "amp"), "JSON5", SETTINGS, "settings.json", role=LIVE)
    yield from files(os.path.join(host.config, "amp"), ANY, TEXT, "**")
    yield from files(os.path.join(host.cache, "amp"), LOG, TEXT, "logs/**")
    own = os.path.join(host.home, ".amp")
    yield from files(own, JSONL, LINES, "history.jsonl")
    yield from files(own, "the file as it was", TEXT, "file-changes/**")
    yield from files(own, ANY, TEXT, "*")


TOOLS = (Tool("amp", "agents", "Amp", _spots),)
