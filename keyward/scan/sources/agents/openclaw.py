"""OpenClaw: its state folders, its workspaces with their own git history, its logs.

Facts: docs/concepts/agent-workspace.md, docs/reference/database-schemas/layout.md, docs/cli/doctor/state-migrations.md and
docs/gateway/logging.md of the npm package, version 2026.9.6; the older names of the folder: its changelog.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from keyward.scan.roles import ECHO, LIVE
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
    ROWS,
    SETTINGS,
    SIGNED,
    TEXT,
    WHOLE,
    databases,
    files,
)
from keyward.scan.sources.host import Host, Spot, Tool

_DATABASE = f"{ROWS}: `openclaw doctor --state-sqlite compact`, `--session-sqlite compact --session-sqlite-all-agents`"
_OTHER_FOLDERS = ("agents", "credentials", "state", "sandboxes", "media", "backups", "transcripts", "logs", "cron", "memory", "identity",
                  "devices", "hooks", "skills", "secrets", "delivery-queue", "canvas", "exports", "telegram", "settings")  # fmt: skip
"""Folders of the state that are looked through whole. What else stands there is installed plugins."""


def _spots(host: Host) -> Iterator[Spot]:
    state = host.variable("OPENCLAW_STATE_DIR", ".openclaw")
    for folder, prefix in ((state, ""), (host.home, ".openclaw-*/"), (host.home, ".clawdbot/"), (host.home, ".moltbot/")):
        yield from _state(folder, prefix)
    if host.environ.get("OPENCLAW_WORKSPACE_DIR"):
        yield from _workspace(host.variable("OPENCLAW_WORKSPACE_DIR", ""), "")
    if host.environ.get("OPENCLAW_CONFIG_PATH"):
        folder, name = os.path.split(host.variable("OPENCLAW_CONFIG_PATH", ""))
        yield from _config(folder, name)
    logs = os.path.join(host.root, "tmp")
    for pattern in (
        "openclaw/openclaw*.log",
        "openclaw/openclaw*.log.*",
        "openclaw-*/openclaw*.log",
        "openclaw-*/openclaw*.log.*",
    ):
        yield Spot(logs, pattern, "JSON lines (log)", "the value alone, same length: the gateway has it open", ECHO)


def _config(folder: str, name: str) -> Iterator[Spot]:
    yield Spot(folder, f"{name}.bak*", "JSON5", COPY, ECHO)
    yield Spot(folder, f"{name}.*", "JSON5", COPY, ECHO)
    yield Spot(folder, name, "JSON5", SETTINGS, LIVE)


def _state(folder: str, prefix: str) -> Iterator[Spot]:
    """One state folder. `prefix`: of its patterns, where its name is one itself."""
    for name in ("openclaw.json", "clawdbot.json", "moltbot.json"):
        yield from _config(folder, prefix + name)
    # what doctor has moved into the databases stays, byte for byte
    yield from files(folder, "as before the migration", COPY, f"{prefix}**/*.migrated.*")
    yield from files(folder, DOTENV, COPY, f"{prefix}.env.*")
    yield from files(folder, DOTENV, SETTINGS, f"{prefix}.env", f"{prefix}gateway.systemd.env", role=LIVE)
    yield from files(folder, JSON, COPY, f"{prefix}credentials/**/*.bak*")
    yield from files(folder, JSON, f"{LOGIN}; keys of a channel are replaced whole", f"{prefix}credentials/**", role=LIVE)
    agent = f"{prefix}agents/*/agent"
    yield from databases(folder, f"{prefix}state/*.sqlite", f"{agent}/*.sqlite")
    yield from files(
        folder, JSON, LOGIN, f"{agent}/auth-profiles.json", f"{agent}/auth.json", f"{agent}/models.json", role=LIVE
    )
    yield from files(folder, "as Codex CLI keeps it", LINES, f"{agent}/codex-home/**")
    sessions = f"{prefix}agents/*/sessions"
    yield from files(folder, "JSON lines, zstd", f"{SIGNED}, with `openclaw sessions`", f"{sessions}/cold/*.jsonl.zst")
    yield from files(folder, JSONL, LINES, f"{sessions}/*.jsonl")
    yield from files(
        folder, JSONL, COPY, f"{sessions}/*.jsonl.reset.*", f"{sessions}/*.jsonl.deleted.*", f"{sessions}/*.jsonl.*"
    )
    yield from files(folder, JSON, WHOLE, f"{sessions}/sessions.json")
    yield from _workspace(folder, f"{prefix}workspace*/")
    yield from files(folder, JSONL, TEXT, f"{prefix}transcripts/*/*/transcript.jsonl")
    yield from files(folder, MARKDOWN, TEXT, f"{prefix}transcripts/*/*/summary.md")
    yield from files(folder, LOG, TEXT, f"{prefix}logs/**", f"{prefix}**/*.log")
    yield from files(folder, ANY, TEXT, *(f"{prefix}{name}/**" for name in _OTHER_FOLDERS), f"{prefix}*", role="")


def _workspace(folder: str, prefix: str) -> Iterator[Spot]:
    yield from files(folder, "exported trajectory", TEXT, f"{prefix}.openclaw/trajectory-exports/**")
    yield Spot(folder, f"{prefix}*.md", MARKDOWN, f"{TEXT}; then its git history is to be rewritten", ECHO, history=True)
    yield from files(folder, MARKDOWN, f"{TEXT}; then its git history is to be rewritten", f"{prefix}memory/**")
    yield from files(folder, DOTENV, SETTINGS, f"{prefix}**/.env", f"{prefix}**/.env.local", role=LIVE)
    yield from files(folder, ANY, TEXT, f"{prefix}**", role="")


TOOLS = (Tool("openclaw", "agents", "OpenClaw", _spots),)
