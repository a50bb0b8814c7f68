"""Cline, Roo Code and Kilo Code: extensions of VS Code and its relatives, each with two copies of every conversation."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from keyward.scan.roles import LIVE
from keyward.scan.sources.agents import ANY, JSON, LOGIN, SETTINGS, TEXT, WHOLE, files
from keyward.scan.sources.agents.vscode import user_folders
from keyward.scan.sources.host import Host, Spot, Tool


def _extension(identifier: str, own: str) -> Callable[[Host], Iterator[Spot]]:
    """`own`: the folder in the home that the extension's command line uses."""

    def spots(host: Host) -> Iterator[Spot]:
        editors = [*user_folders(host), os.path.join(host.application_support, "Cursor", "User"),
                   os.path.join(host.application_support, "Windsurf", "User")]  # fmt: skip
        folders = [os.path.join(user, "globalStorage", identifier) for user in editors]
        for folder in [*folders, os.path.join(host.home, own), os.path.join(host.home, own, "data")]:
            yield from files(folder, JSON, SETTINGS, "settings/*mcp*settings.json", "mcp_settings.json", role=LIVE)
            yield from files(folder, JSON, LOGIN, "secrets.json", role=LIVE)
            yield from files(folder, JSON, WHOLE, "tasks/*/*.json", "state/*.json")
            yield Spot(folder, "checkpoints/**", ANY, "a shadow git repository: delete it", history=True)
            yield from files(folder, ANY, TEXT, "tasks/**", "cache/**", "logs/**", "*", "settings/**")

    return spots


TOOLS = (
    Tool("cline", "agents", "Cline", _extension("saoudrizwan.claude-dev", ".cline")),
    Tool("roo", "agents", "Roo Code", _extension("rooveterinaryinc.roo-cline", ".roo")),
    Tool("kilo", "agents", "Kilo Code", _extension("kilocode.kilo-code", ".kilocode")),
)
