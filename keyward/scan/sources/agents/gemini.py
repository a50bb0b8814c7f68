"""Gemini CLI and Antigravity, which share a folder. A message of Gemini CLI is written anew, whole, each time it grows."""

from __future__ import annotations

import os
from collections.abc import Iterator

from keyward.scan.roles import LIVE
from keyward.scan.sources.agents import (
    ANY,
    COPY,
    DOTENV,
    JSON,
    JSONL,
    LINES,
    LOG,
    LOGIN,
    MARKDOWN,
    SETTINGS,
    TEXT,
    WHOLE,
    databases,
    files,
    sealed,
)  # fmt: skip
from keyward.scan.sources.host import Host, Spot, Tool


def _home(host: Host) -> str:
    return os.path.join(host.variable("GEMINI_CLI_HOME", ""), ".gemini")


def _gemini(host: Host) -> Iterator[Spot]:
    folder = _home(host)
    yield from files(folder, JSON, COPY, "settings.json.*", "oauth_creds.json.*")
    yield from files(folder, JSON, SETTINGS, "settings.json", role=LIVE)
    yield from files(folder, JSON, LOGIN, "oauth_creds.json", "mcp-oauth-tokens*.json", "a2a-oauth-tokens*.json", role=LIVE)
    yield from files(folder, DOTENV, SETTINGS, ".env", role=LIVE)
    yield from files(folder, JSONL, f"{LINES}; every repetition of a message", "tmp/*/chats/**/*.jsonl")
    yield from files(folder, JSON, WHOLE, "tmp/*/chats/**", "tmp/*/checkpoint*.json", "tmp/*/logs.json")
    yield from files(folder, "lines", LINES, "tmp/*/shell_history")
    yield from files(folder, MARKDOWN, TEXT, "*.md", "memory/**", "commands/**", "policies/**", "extensions/*/*.md")
    yield Spot(folder, "history/*/*", ANY, "a shadow git repository: delete it", history=True)
    yield from files(folder, ANY, TEXT, "tmp/**", "*", role="")
    yield from files("", JSON, SETTINGS, ".gemini/settings.json", role=LIVE)
    yield from files("", MARKDOWN, TEXT, "GEMINI.md")


_ENCRYPTED = "encrypted by Antigravity"


def _antigravity(host: Host) -> Iterator[Spot]:
    folder = _home(host)
    yield from sealed(
        folder, _ENCRYPTED, "antigravity*/conversations/*.pb", "antigravity*/implicit/*.pb", "antigravity*/**/*.pb"
    )
    yield from files(folder, JSON, LOGIN, "antigravity*/antigravity-oauth-token*", "antigravity*/*oauth*", role=LIVE)
    yield from files(folder, JSON, COPY, "antigravity*/mcp_config.json.*", "config/*.json.*")
    yield from files(
        folder, JSON, SETTINGS, "antigravity*/mcp_config.json", "antigravity*/settings.json", "config/*.json", role=LIVE
    )
    yield from databases(folder, "antigravity*/conversations/*.db", "antigravity*/**/*.db")
    yield from files(folder, JSONL, LINES, "antigravity*/history.jsonl", "antigravity*/brain/**/*.jsonl")
    yield from files(folder, MARKDOWN, TEXT, "antigravity*/**/*.md", "config/**/*.md")
    yield from files(folder, LOG, TEXT, "antigravity*/log/**")
    yield from files(folder, ANY, TEXT, "antigravity*/brain/**", "antigravity*/*", "antigravity*/cache/**")


TOOLS = (Tool("antigravity", "agents", "Antigravity", _antigravity), Tool("gemini", "agents", "Gemini CLI", _gemini))
