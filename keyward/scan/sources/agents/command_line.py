"""Smaller command-line agents: Pi, Grok, Kiro (formerly Amazon Q) and gptme."""

from __future__ import annotations

import os
from collections.abc import Iterator

from keyward.scan.roles import LIVE
from keyward.scan.sources.agents import (
    ANY,
    JSON,
    JSONL,
    LINES,
    LOG,
    LOGIN,
    MARKDOWN,
    SETTINGS,
    TEXT,
    TOML,
    WHOLE,
    databases,
    files,
)  # fmt: skip
from keyward.scan.sources.host import Host, Spot, Tool


def _pi(host: Host) -> Iterator[Spot]:
    folder = host.variable("PI_CODING_AGENT_DIR", ".pi/agent")
    yield from files(folder, JSON, LOGIN, "auth.json", "oauth.json", role=LIVE)
    yield from files(folder, JSON, SETTINGS, "mcp.json", "settings.json", "models.json", role=LIVE)
    yield from files(folder, JSONL, LINES, "sessions/**/*.jsonl")
    yield from files(folder, ANY, TEXT, "sessions/**", "*", "prompts/**", "skills/**", "agents/**")


def _grok(host: Host) -> Iterator[Spot]:
    folder = host.variable("GROK_HOME", ".grok")
    yield from files(folder, JSON, SETTINGS, "user-settings.json", "settings.json", "mcp*.json", role=LIVE)
    yield from files(folder, TOML, SETTINGS, "config.toml", role=LIVE)
    yield from files(folder, JSON, LOGIN, "auth*.json", "credentials*.json", role=LIVE)
    yield from databases(folder, "*.db", "sessions/*.sqlite", "memory/**/*.sqlite", "**/*.sqlite")
    yield from files(folder, JSONL, LINES, "sessions/**/*.jsonl", "logs/*.jsonl")
    yield from files(folder, MARKDOWN, TEXT, "memory/**/*.md", "sessions/**/*.md")
    yield from files(folder, ANY, TEXT, "sessions/**", "logs/**", "*")


def _kiro(host: Host) -> Iterator[Spot]:
    own = os.path.join(host.home, ".kiro")
    yield from databases(own, "*.db", "**/*.sqlite3")
    yield from files(own, JSON, SETTINGS, "settings/mcp.json", "settings/*.json", "agents/*.json", role=LIVE)
    yield from files(own, JSONL, LINES, "sessions/**/*.jsonl")
    yield from files(own, ANY, TEXT, "sessions/**", "steering/**", "*")
    for name in ("kiro-cli", "amazon-q"):
        data = os.path.join(host.application_support if host.mac else host.data, name)
        yield from databases(data, "*.sqlite3", "*.db")
        yield from files(data, ANY, TEXT, "*", "cli-checkouts/**")
    yield from files(os.path.join(host.home, ".aws", "amazonq"), JSON, SETTINGS, "mcp.json", "cli-agents/*.json", role=LIVE)
    yield from files(os.path.join(host.home, ".aws", "amazonq"), ANY, TEXT, "history/**")
    user = os.path.join(host.application_support, "Kiro", "User")
    yield from databases(user, "globalStorage/*.vscdb", "workspaceStorage/*/*.vscdb")
    yield from files(user, JSON, WHOLE, "globalStorage/kiro.kiroagent/**")


def _gptme(host: Host) -> Iterator[Spot]:
    data, config = os.path.join(host.data, "gptme"), os.path.join(host.config, "gptme")
    yield from files(data, JSONL, LINES, "logs/*/conversation.jsonl", "logs/*/branches/*.jsonl")
    yield from files(data, LOG, TEXT, "logs/**", "*")
    yield from files(config, TOML, SETTINGS, "config.toml", "config.local.toml", role=LIVE)


TOOLS = (
    Tool("pi", "agents", "Pi", _pi),
    Tool("grok", "agents", "Grok CLI", _grok),
    Tool("kiro", "agents", "Kiro and Amazon Q CLI", _kiro),
    Tool("gptme", "agents", "gptme", _gptme),
)
