"""Aider keeps its histories in the folder it was started in. Source: https://aider.chat/docs/config/options.html."""

from __future__ import annotations

import os
from collections.abc import Iterator

from keyward.scan.roles import LIVE
from keyward.scan.sources.agents import ANY, JSON, LINES, LOGIN, MARKDOWN, SETTINGS, TEXT, YAML, files
from keyward.scan.sources.host import Host, Spot, Tool


def _spots(host: Host) -> Iterator[Spot]:
    yield from files("", MARKDOWN, f"{TEXT}; lines and their number stay", ".aider.chat.history.md")
    yield from files("", "lines, `# time` then `+text`", LINES, ".aider.input.history")
    yield from files("", "text", TEXT, ".aider.llm.history")
    yield from files("", YAML, SETTINGS, ".aider.conf.yml", ".aider.model.settings.yml", role=LIVE)
    folder = os.path.join(host.home, ".aider")
    yield from files(folder, JSON, LOGIN, "oauth-keys.env", role=LIVE)
    yield from files(folder, ANY, TEXT, "*", "analytics/**", "caches/**")


TOOLS = (Tool("aider", "agents", "Aider", _spots),)
