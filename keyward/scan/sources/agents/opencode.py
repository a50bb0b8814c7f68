"""OpenCode: one database since version 1.2, files before. Text stands in `part.data` and `message.data`."""

from __future__ import annotations

import os
from collections.abc import Iterator

from keyward.scan.roles import LIVE
from keyward.scan.sources.agents import ANY, JSON, JSONL, LINES, LOG, LOGIN, SETTINGS, TEXT, WHOLE, databases, files
from keyward.scan.sources.host import Host, Spot, Tool


def _spots(host: Host) -> Iterator[Spot]:
    data, config, state = (os.path.join(folder, "opencode") for folder in (host.data, host.config, host.state))
    if host.environ.get("OPENCODE_DB"):
        folder, name = os.path.split(os.path.normpath(os.path.join(data, host.environ["OPENCODE_DB"])))
        yield from databases(folder, name)
    yield from databases(data, "*.db")
    yield from files(data, JSON, LOGIN, "auth.json", "mcp-auth.json", "account.json", role=LIVE)
    yield from files(data, JSON, WHOLE, "storage/**")
    yield from files(data, LOG, TEXT, "log/**")
    yield Spot(data, "snapshot/**", ANY, "a shadow git repository: delete it", history=True)
    yield from files(data, ANY, TEXT, "tool-output/**", "project/**", "*")
    yield from files(config, "JSON5", SETTINGS, "opencode.json*", "config.json", "*.jsonc", role=LIVE)
    yield from files(config, ANY, TEXT, "*.md", "agent/**", "command/**", "plugin/*")
    yield from files(state, JSONL, LINES, "*.jsonl")
    yield from files(state, JSON, WHOLE, "*.json")
    yield from files("", "JSON5", SETTINGS, "opencode.json", "opencode.jsonc", role=LIVE)


TOOLS = (Tool("opencode", "agents", "OpenCode", _spots),)
