"""Configurations of MCP servers, wherever they lie: `env`, `headers`, arguments and query strings hold credentials in use."""

from __future__ import annotations

import os
from collections.abc import Iterator

from keyward.scan.roles import LIVE
from keyward.scan.sources.agents import COPY, JSON, LOG, SETTINGS, TEXT, files
from keyward.scan.sources.host import Host, Spot, Tool


def _spots(host: Host) -> Iterator[Spot]:
    desktop = os.path.join(host.application_support, "Claude")
    yield from files(desktop, JSON, COPY, "claude_desktop_config.json.*")
    yield from files(desktop, JSON, SETTINGS, "claude_desktop_config.json", "config.json", role=LIVE)
    yield from files(desktop, LOG, TEXT, "logs/**")
    yield from files(os.path.join(host.home, "Library", "Logs", "Claude"), LOG, TEXT, "**")
    # remote servers' logins, by the bridge that most clients start
    yield from files(os.path.join(host.home, ".mcp-auth"), JSON, SETTINGS, "**", role=LIVE)
    for folder in ("", ".cursor/", ".vscode/", ".roo/", ".kilocode/", ".kiro/settings/", ".junie/mcp/", ".amazonq/", ".trae/"):
        yield from files("", JSON, COPY, f"{folder}mcp.json.*", f"{folder}.mcp.json.*")
        yield from files("", JSON, SETTINGS, f"{folder}mcp.json", role=LIVE)
    yield from files("", JSON, SETTINGS, ".mcp.json", "mcp_config.json", "mcp_settings.json", "mcp-config.json", "mcp_servers.json",
                     "claude_desktop_config.json", "mcp.config.json", role=LIVE)  # fmt: skip
    yield from files("", JSON, COPY, "mcp_config.json.*", "claude_desktop_config.json.*")


TOOLS = (Tool("mcp", "agents", "MCP configurations", _spots),)
