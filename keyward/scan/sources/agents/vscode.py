"""VS Code with GitHub Copilot, and Copilot's command line.

Its layout: https://docs.github.com/en/copilot/reference/copilot-cli-reference/cli-config-dir-reference. The command line puts its login
into the system's keyring, and into `config.json` where there is none.
"""

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
    LOGIN,
    MARKDOWN,
    SETTINGS,
    TEXT,
    WHOLE,
    databases,
    files,
)  # fmt: skip
from keyward.scan.sources.host import Host, Spot, Tool

EDITORS = ("Code", "Code - Insiders", "VSCodium")
SERVERS = (".vscode-server", ".vscode-server-insiders", ".vscode-remote", ".vscodium-server")


def user_folders(host: Host) -> list[str]:
    """The folders `User` of all editors of this family, without Cursor and Windsurf."""
    local = [os.path.join(host.application_support, name, "User") for name in EDITORS]
    return local + [os.path.join(host.home, name, "data", "User") for name in SERVERS]


def _copilot_chat(host: Host) -> Iterator[Spot]:
    for user in user_folders(host):
        yield from files(user, "JSON5", SETTINGS, "settings.json", "mcp.json", "profiles/*/mcp.json", role=LIVE)
        yield from files(user, "JSON lines (operations in order)", LINES,
                         "workspaceStorage/*/chatSessions/*.jsonl", "globalStorage/emptyWindowChatSessions/*.jsonl")  # fmt: skip
        yield from files(user, JSON, WHOLE,
                         "workspaceStorage/*/chatSessions/*", "globalStorage/emptyWindowChatSessions/*")  # fmt: skip
        yield from files(user, JSONL, LINES, "workspaceStorage/*/GitHub.copilot-chat/transcripts/*.jsonl")
        yield from files(user, ANY, TEXT, "workspaceStorage/*/chatEditingSessions/**", "workspaceStorage/*/GitHub.copilot-chat/**",
                         "globalStorage/github.copilot-chat/**")  # fmt: skip
        yield from databases(user, "globalStorage/*.vscdb", "workspaceStorage/*/*.vscdb")
        yield from files(user, "SQLite", COPY, "globalStorage/*.vscdb.*", "workspaceStorage/*/*.vscdb.*")
        yield from files(user, "the file as it was", TEXT, "History/**")
        yield from files(user, MARKDOWN, TEXT, "prompts/**")
    for name in EDITORS:
        yield from files(os.path.join(host.application_support, name), LOG, TEXT, "logs/**")


def _copilot_cli(host: Host) -> Iterator[Spot]:
    own = host.environ.get("COPILOT_HOME") or host.environ.get("XDG_CONFIG_HOME")
    folders = [os.path.join(host.home, ".copilot")]
    if own:
        folders.append(host.variable("COPILOT_HOME", os.path.join(host.config, "copilot")))
    for folder in folders:
        yield from files(folder, "JSON5", LOGIN, "config.json", role=LIVE)
        yield from files(folder, "JSON5", SETTINGS, "settings.json", "mcp-config.json", "lsp-config.json", role=LIVE)
        yield from databases(folder, "*.db")
        yield from files(folder, JSONL, LINES, "session-state/**/*.jsonl", "history-session-state/**")
        yield from files(
            folder, ANY, TEXT, "session-state/**", "logs/**", "*", "agents/**", "skills/**", "instructions/**", "hooks/**"
        )
    # what editors' extensions share
    yield from files(os.path.join(host.config, "github-copilot"), JSON, LOGIN, "hosts.json", "apps.json", role=LIVE)
    yield from databases(os.path.join(host.config, "github-copilot"), "**/*.db")


TOOLS = (
    Tool("vscode-copilot", "agents", "VS Code and Copilot Chat", _copilot_chat),
    Tool("copilot-cli", "agents", "GitHub Copilot CLI", _copilot_cli),
)
