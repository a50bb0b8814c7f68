"""Continue. Source: https://docs.continue.dev/reference."""

from __future__ import annotations

from collections.abc import Iterator

from keyward.scan.roles import LIVE
from keyward.scan.sources.agents import ANY, DOTENV, JSON, JSONL, LINES, SETTINGS, TEXT, WHOLE, YAML, databases, files
from keyward.scan.sources.host import Host, Spot, Tool


def _spots(host: Host) -> Iterator[Spot]:
    folder = host.variable("CONTINUE_GLOBAL_DIR", ".continue")
    yield from files(folder, YAML, SETTINGS, "config.yaml", "*/config.yaml", "mcpServers/*", role=LIVE)
    yield from files(folder, JSON, SETTINGS, "config.json", "config.ts", role=LIVE)
    yield from files(folder, DOTENV, SETTINGS, ".env", role=LIVE)
    yield from files(folder, JSON, f"{WHOLE}; arguments of calls are JSON inside JSON", "sessions/*.json")
    yield from files(folder, JSONL, LINES, "dev_data/**/*.jsonl")
    yield from databases(folder, "dev_data/*.sqlite", "index/*.sqlite", "index/**/*.sqlite")
    yield from files(folder, ANY, TEXT, "*", "logs/**", "sessions/**", "dev_data/**", "rules/**", "prompts/**")
    yield from files("", YAML, SETTINGS, ".continue/mcpServers/*", ".continue/config.yaml", ".continuerc.json", role=LIVE)


TOOLS = (Tool("continue", "agents", "Continue", _spots),)
