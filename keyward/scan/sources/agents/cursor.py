"""Cursor, the editor and its command line. The editor keeps its own login in the same database as the conversations."""

from __future__ import annotations

import os
from collections.abc import Iterator

from keyward.scan.roles import LIVE
from keyward.scan.sources.agents import (
    ANY,
    COPY,
    JSON,
    JSONL,
    LINES,
    LOG,
    MARKDOWN,
    ROWS,
    SETTINGS,
    SIGNED,
    SQLITE,
    TEXT,
    WHOLE,
    databases,
    files,
)  # fmt: skip
from keyward.scan.sources.host import Host, Spot, Tool


def _editor(host: Host) -> Iterator[Spot]:
    for user in (
        os.path.join(host.application_support, "Cursor", "User"),
        os.path.join(host.home, ".cursor-server", "data", "User"),
    ):
        yield from databases(user, "globalStorage/*.vscdb", "workspaceStorage/*/*.vscdb", "**/conversation-search.db")
        yield from files(user, SQLITE, f"{COPY}, or {ROWS}", "globalStorage/*.vscdb.*", "workspaceStorage/*/*.vscdb.*")
        yield from files(user, "JSON5", SETTINGS, "settings.json", "mcp.json", "profiles/*/settings.json", role=LIVE)
        yield from files(user, "the file as it was", TEXT, "History/**")
        yield from files(user, ANY, TEXT, "workspaceStorage/**", "globalStorage/**", "snippets/**", "*.json")
    yield from files(os.path.join(host.application_support, "Cursor"), LOG, TEXT, "logs/**")


def _command_line(host: Host) -> Iterator[Spot]:
    folder = os.path.join(host.home, ".cursor")
    yield from files(folder, JSON, SETTINGS, "mcp.json", "cli-config.json", "hooks.json", "settings.json", role=LIVE)
    yield from files(folder, JSON, COPY, "mcp.json.*")
    for ending in ("", "-wal"):
        yield from files(folder, SQLITE, SIGNED, f"chats/*/*/store.db{ending}")
    yield from files(folder, JSONL, LINES, "projects/*/agent-transcripts/**/*.jsonl")
    yield from files(folder, JSON, WHOLE, "prompt_history.json", "chats/**/meta.json")
    yield from files(folder, MARKDOWN, TEXT, "plans/**", "rules/**", "commands/**", "skills-cursor/**")
    yield from databases(folder, "*.db", "ai-tracking/*.db")
    yield from files(folder, "text", TEXT, "projects/*/agent-tools/**", "projects/*/terminals/**", "projects/**")
    yield from files(folder, ANY, TEXT, "*", "chats/**")
    yield from files("", "Cursor rules", TEXT, ".cursorrules", ".cursor/rules/**")


TOOLS = (
    Tool("cursor", "agents", "Cursor", _editor),
    Tool("cursor-cli", "agents", "Cursor CLI", _command_line),
)
