"""Codex CLI. `reasoning.encrypted_content` inside its sessions is readable by the provider alone."""

from __future__ import annotations

from collections.abc import Iterator

from keyward.scan.roles import LIVE
from keyward.scan.sources.agents import (
    ANY,
    COPY,
    DOTENV,
    JSON,
    JSONL,
    LINES,
    LOGIN,
    MARKDOWN,
    SETTINGS,
    TEXT,
    TOML,
    databases,
    files,
)  # fmt: skip
from keyward.scan.sources.host import Host, Spot, Tool


def _spots(host: Host) -> Iterator[Spot]:
    folder = host.variable("CODEX_HOME", ".codex")
    yield from files(folder, TOML, COPY, "config.toml.*", "config.toml~")
    yield from files(folder, TOML, SETTINGS, "config.toml", "*.config.toml", role=LIVE)
    yield from files(folder, JSON, LOGIN, "auth.json", ".credentials.json", role=LIVE)
    yield from files(folder, DOTENV, SETTINGS, ".env", role=LIVE)
    yield from files(
        folder, "JSON lines, zstd", f"unpacked, {LINES}, packed again", "sessions/**/*.zst", "archived_sessions/**/*.zst"
    )
    yield from files(folder, JSONL, LINES, "sessions/**", "archived_sessions/**", "history.jsonl", "session_index.jsonl")
    yield from files(folder, MARKDOWN, TEXT, "memories/**", "*.md", "prompts/**", "rules/**", "skills/**")
    yield from databases(folder, "*.sqlite", "*.db", "sqlite/*.sqlite")
    if host.environ.get("CODEX_SQLITE_HOME"):
        yield from databases(host.variable("CODEX_SQLITE_HOME", ""), "*.sqlite")
    yield from files(folder, ANY, TEXT, "attachments/**", "shell_snapshots/**", "log/**", "*")


TOOLS = (Tool("codex", "agents", "Codex CLI", _spots),)
