"""Goose: `sessions.db` since version 1.10, JSON lines before. Source: crates/goose/src/session/session_manager.rs."""

from __future__ import annotations

import os
from collections.abc import Iterator

from keyward.scan.roles import LIVE
from keyward.scan.sources.agents import ANY, COPY, JSONL, LINES, LOG, SETTINGS, SQLITE, TEXT, YAML, databases, files
from keyward.scan.sources.host import Host, Spot, Tool


def _spots(host: Host) -> Iterator[Spot]:
    data, config, state = (os.path.join(folder, "goose") for folder in (host.data, host.config, host.state))
    folders = [data]
    if host.mac:
        folders.append(os.path.join(host.application_support, "Block", "goose"))
    if host.environ.get("GOOSE_PATH_ROOT"):
        root = host.variable("GOOSE_PATH_ROOT", "")
        folders, config, state = [os.path.join(root, "data")], os.path.join(root, "config"), os.path.join(root, "state")
    for folder in folders:
        yield from files(folder, SQLITE, COPY, "sessions/backups/**", "backups/**")
        yield from databases(folder, "sessions/*.db", "*.db")
        yield from files(folder, JSONL, LINES, "sessions/*.jsonl")
        yield from files(folder, ANY, TEXT, "*", "sessions/*", "projects.json")
    yield from files(config, YAML, COPY, "config.yaml.*", "secrets.yaml.*")
    yield from files(config, YAML, SETTINGS, "config.yaml", "secrets.yaml", role=LIVE)
    yield from files(config, ANY, TEXT, "*", "recipes/**", "memory/**")
    yield from files(state, LOG, TEXT, "logs/**", "*")
    yield from files(os.path.join(host.home, ".goose"), ANY, TEXT, "**")
    yield from files("", "Markdown", TEXT, ".goosehints")


TOOLS = (Tool("goose", "agents", "Goose", _spots),)
