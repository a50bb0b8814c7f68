"""Claude Code. Source: https://code.claude.com/docs/en/claude-directory. On macOS the login stands in the Keychain."""

from __future__ import annotations

from collections.abc import Iterator

from keyward.scan.roles import LIVE
from keyward.scan.sources.agents import ANY, COPY, JSON, JSONL, LINES, LOGIN, MARKDOWN, SETTINGS, TEXT, files
from keyward.scan.sources.host import Host, Spot, Tool

_THINKING = f"{LINES}; thinking blocks are signed, so a session whose thinking is edited cannot be resumed"


def _spots(host: Host) -> Iterator[Spot]:
    folder = host.variable("CLAUDE_CONFIG_DIR", ".claude")
    for place in (host.home, folder):
        yield from files(place, JSON, COPY, ".claude.json.*")
        yield from files(place, JSON, SETTINGS, ".claude.json", role=LIVE)
    yield from files(folder, JSON, LOGIN, ".credentials.json", role=LIVE)
    yield from files(folder, JSON, COPY, "settings*.json.*", "backups/**")
    yield from files(folder, JSON, SETTINGS, "settings*.json", "mcp*.json", role=LIVE)
    yield from files(folder, JSONL, f"{LINES}; it is never swept", "history.jsonl")
    yield from files(folder, JSONL, _THINKING, "projects/**/*.jsonl")
    yield from files(folder, MARKDOWN, TEXT, "projects/*/memory/**", "*.md", "agent-memory/**", "plans/**")
    yield from files(folder, "the file as it was", TEXT, "file-history/**")
    yield from files(folder, "shell script", COPY, "shell-snapshots/**")
    yield from files(folder, ANY, TEXT, "projects/**", "*", *(f"{name}/**" for name in _FOLDERS))
    # of projects, wherever they are
    yield from files("", JSON, SETTINGS, ".claude/settings*.json", role=LIVE)
    yield from files("", MARKDOWN, TEXT, "CLAUDE.md", "CLAUDE.local.md", ".claude/**/*.md")


_FOLDERS = ("paste-cache", "image-cache", "debug", "tasks", "todos", "session-env", "feedback-bundles", "uploads", "teams", "jobs",
            "sessions", "statsig", "telemetry", "agents", "commands", "skills", "hooks", "cache", "logs", "ide", "rules")  # fmt: skip

TOOLS = (Tool("claude-code", "agents", "Claude Code", _spots),)
