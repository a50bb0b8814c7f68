"""Hermes. Structured content stands in `messages.content` behind a NUL and `json:`; rows that were rewound stay (`active = 0`)."""

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
    LOG,
    LOGIN,
    MARKDOWN,
    SETTINGS,
    TEXT,
    WHOLE,
    YAML,
    databases,
    files,
)  # fmt: skip
from keyward.scan.sources.host import Host, Spot, Tool


def _spots(host: Host) -> Iterator[Spot]:
    folder = host.variable("HERMES_HOME", ".hermes")
    for prefix in ("", "profiles/*/"):
        yield from files(folder, DOTENV, COPY, f"{prefix}.env.*")
        yield from files(folder, DOTENV, SETTINGS, f"{prefix}.env", role=LIVE)
        yield from files(folder, YAML, COPY, f"{prefix}config.yaml.*")
        yield from files(folder, YAML, SETTINGS, f"{prefix}config.yaml", role=LIVE)
        yield from files(folder, JSON, LOGIN, f"{prefix}auth.json", f"{prefix}mcp-tokens/**", f"{prefix}pairing/**", role=LIVE)
        yield from databases(folder, f"{prefix}*.db")
        yield from files(folder, MARKDOWN, TEXT, f"{prefix}memories/**", f"{prefix}*.md", f"{prefix}skills/**")
        yield from files(folder, JSONL, LINES, f"{prefix}sessions/**/*.jsonl")
        yield from files(folder, JSON, WHOLE, f"{prefix}sessions/**", f"{prefix}cron/jobs.json")
        yield from files(folder, LOG, TEXT, f"{prefix}logs/**", f"{prefix}cron/output/**")
        yield from files(
            folder, ANY, TEXT, f"{prefix}*", f"{prefix}state-snapshots/**", f"{prefix}backups/**", f"{prefix}cache/**"
        )


TOOLS = (Tool("hermes", "agents", "Hermes", _spots),)
