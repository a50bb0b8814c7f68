"""What was exported from chats and notes, and what people and agents wrote down: Markdown, data exports, reports.

Looked for in the folders where people keep documents (`FOLDERS`), in every Obsidian vault below the home, and where a name says
enough wherever it lies (`.specstory`). Code is no export: a `README.md` in a clone is looked at by `keyward scan` of that repository.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from keyward.scan.roles import ECHO
from keyward.scan.sources.host import Host, Spot, Tool

FOLDERS = (
    "Documents", "Downloads", "Desktop", "notes", "Notes", "obsidian", "Obsidian", "vault", "Vault", "wiki", "reports", "Reports", "exports",
    "Exports", "Dropbox", "Sync", "Nextcloud", "OneDrive", "Google Drive", "org", "logseq", "zettelkasten", "journal", "public",
    "Public", "tmp", "backup", "backups", "Backups",
)  # fmt: skip
"""Below the home. iCloud's folder of documents is added on macOS."""

_IN_PLACE = "the value alone, in place"
_PACKED = "the archive is written anew without the value, or deleted"
_TEXTS = (
    "*.md",
    "*.markdown",
    "*.mdx",
    "*.txt",
    "*.html",
    "*.htm",
    "*.org",
    "*.rst",
    "*.adoc",
    "*.csv",
    "*.tsv",
    "*.log",
    "*.rtf",
)
_DATA = (
    "*.json",
    "*.jsonl",
    "*.ndjson",
    "*.yaml",
    "*.yml",
    "*.toml",
    "*.xml",
    "*.eml",
    "*.mbox",
    "*.ipynb",
    "*.sql",
    "*.dump",
    "*.conf",
)
_OFFICE = ("*.pdf", "*.docx", "*.xlsx", "*.pptx", "*.odt", "*.ods", "*.odp", "*.epub")
_ARCHIVES = ("*.zip", "*.tar", "*.tar.*", "*.tgz", "*.gz", "*.bz2", "*.xz", "*.zst", "*.7z")


def folders(host: Host) -> Iterator[str]:
    """Where people keep documents."""
    for name in FOLDERS:
        yield os.path.join(host.home, name)
    for name in ("Mobile Documents", "CloudStorage") if host.mac else ():
        yield os.path.join(host.home, "Library", name)


def _chatgpt(host: Host) -> Iterator[Spot]:
    for folder in folders(host):
        yield Spot(folder, "**/conversations-[0-9]*.json", "ChatGPT data export, a part of it", _IN_PLACE, ECHO)
        yield Spot(folder, "**/*chatgpt*.zip", "ChatGPT data export", _PACKED, ECHO)
        yield Spot(folder, "**/chat.html", "ChatGPT data export", _IN_PLACE, ECHO)
        # the archive's name: 64 hexadecimal digits, a date, a time
        yield Spot(folder, "**/" + "[0-9a-f]" * 16 + "*-20[0-9][0-9]-*.zip", "ChatGPT data export", _PACKED, ECHO)


def _claude(host: Host) -> Iterator[Spot]:
    for folder in folders(host):
        for pattern in ("**/data-20*.zip", "**/*claude*.zip", "**/data-*-batch-*.zip"):
            yield Spot(folder, pattern, "Claude data export", _PACKED, ECHO)
        for pattern in ("**/projects.json", "**/conversations.json", "**/memories.json"):
            yield Spot(folder, pattern, "Claude or ChatGPT data export", _IN_PLACE, ECHO)
    # `/export` of Claude Code, beside the project: DATE-WORDS.txt
    yield Spot("", "20[0-9][0-9]-[0-1][0-9]-[0-3][0-9]-*.txt", "conversation of Claude Code", _IN_PLACE, ECHO)


def _notion(host: Host) -> Iterator[Spot]:
    for folder in folders(host):
        for pattern in ("**/Export-*.zip", "**/ExportBlock-*.zip", "**/*Notion*.zip", "**/*_ExportBlock*.zip"):
            yield Spot(folder, pattern, "Notion export, zip in zip", _PACKED, ECHO)


def _obsidian(host: Host) -> Iterator[Spot]:
    yield Spot(
        "", ".obsidian/plugins/*/data.json", "JSON", "not scrubbed: the plugin reads it; replace the value", "live-config"
    )
    yield Spot("", ".obsidian/*.json", "JSON", _IN_PLACE, "live-config")
    yield Spot("", ".trash/**/*.md", "Markdown", "delete it", ECHO)
    yield Spot("", ".trash/*.md", "Markdown", "delete it", ECHO)
    registry = os.path.join(host.application_support, "obsidian")
    yield Spot(registry, "*.json", "JSON", _IN_PLACE, "live-config")


def _specstory(host: Host) -> Iterator[Spot]:
    yield Spot("", ".specstory/**", "Markdown", _IN_PLACE, ECHO)


def _reports(host: Host) -> Iterator[Spot]:
    for folder in ("reports", "report", "test-results", "playwright-report", "htmlcov", "allure-results"):
        for pattern in ("*.html", "*.md", "*.json", "*.xml", "*.txt", "*.zip", "*.pdf"):
            yield Spot("", f"{folder}/**/{pattern}", "generated report", _IN_PLACE, ECHO)
    for pattern in ("*-report.html", "*-report.md", "*_report.md", "*_report.html", "report-*.md", "gemini-conversation-*.md",
                    "gemini-conversation-*.json", "conversation-*.md", "transcript*.md", "transcript*.txt"):  # fmt: skip
        yield Spot("", pattern, "generated report", _IN_PLACE, ECHO)


def _documents(host: Host) -> Iterator[Spot]:
    # notes that agents and people leave in a project
    for name in ("NOTES.md", "MEMORY.md", "TODO.md", "HANDOFF.md", "SCRATCH.md", "notes.txt", "todo.txt"):
        yield Spot("", name, "text", _IN_PLACE, ECHO)
    for folder in folders(host):
        for pattern in _TEXTS:
            yield Spot(folder, f"**/{pattern}", "text", _IN_PLACE, ECHO)
        for pattern in _DATA:
            yield Spot(folder, f"**/{pattern}", "text", _IN_PLACE)
        for pattern in _OFFICE:
            yield Spot(folder, f"**/{pattern}", "document", "by hand: it is a packed document", ECHO)
        for pattern in _ARCHIVES:
            yield Spot(folder, f"**/{pattern}", "archive", _PACKED, ECHO)
    for pattern in ("*.md", "*.markdown", "*.txt", "*.zip", "*.html"):
        yield Spot(host.home, pattern, "text", _IN_PLACE, ECHO)


TOOLS: tuple[Tool, ...] = (
    Tool("chatgpt", "exports", "ChatGPT data export", _chatgpt),
    Tool("claude", "exports", "Claude data export", _claude),
    Tool("notion", "exports", "Notion", _notion),
    Tool("obsidian", "exports", "Obsidian", _obsidian),
    Tool("specstory", "exports", "SpecStory", _specstory),
    Tool("reports", "exports", "generated reports", _reports),
    Tool("documents", "exports", "documents", _documents),
)
