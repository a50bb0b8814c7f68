"""Windsurf (Codeium). Conversations and most memories are encrypted; the rest is text."""

from __future__ import annotations

import os
from collections.abc import Iterator

from keyward.scan.roles import LIVE
from keyward.scan.sources.agents import ANY, COPY, JSON, MARKDOWN, SETTINGS, TEXT, databases, files, sealed
from keyward.scan.sources.host import Host, Spot, Tool


def _spots(host: Host) -> Iterator[Spot]:
    for name in ("windsurf", "windsurf-next"):
        folder = os.path.join(host.home, ".codeium", name)
        yield from sealed(folder, "encrypted by Windsurf", "cascade/*.pb", "memories/*.pb", "implicit/*.pb", "**/*.pb")
        yield from files(folder, JSON, COPY, "mcp_config.json.*")
        yield from files(folder, JSON, SETTINGS, "mcp_config.json", role=LIVE)
        yield from files(folder, MARKDOWN, TEXT, "memories/*.md", "brain/**", "global_workflows/**")
        yield from files(folder, ANY, TEXT, "*", "memories/**")
    user = os.path.join(host.application_support, "Windsurf", "User")
    yield from databases(user, "globalStorage/*.vscdb", "workspaceStorage/*/*.vscdb")
    yield from files(user, "SQLite", COPY, "globalStorage/*.vscdb.*", "workspaceStorage/*/*.vscdb.*")
    yield from files(user, "JSON5", SETTINGS, "settings.json", "mcp.json", role=LIVE)
    yield from files(os.path.join(host.home, ".codeium"), JSON, SETTINGS, "config.json", "mcp_config.json", role=LIVE)
    yield from files("", MARKDOWN, TEXT, ".windsurfrules", ".windsurf/rules/**", ".windsurf/workflows/**")


TOOLS = (Tool("windsurf", "agents", "Windsurf", _spots),)
