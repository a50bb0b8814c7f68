"""What a file's name says: which format it has, and whether it is a live configuration at all."""

from __future__ import annotations

import os
import re

_BY_SUFFIX = {
    ".env": "dotenv", ".json": "json", ".json5": "json5", ".jsonc": "json5", ".yaml": "yaml", ".yml": "yaml", ".toml": "toml",
    ".ini": "ini", ".cfg": "ini", ".properties": "properties",
}  # fmt: skip
_DOTENV = re.compile(r"(?:.*\.)?env(?:rc)?(?:\.[A-Za-z0-9_-]+)*\Z", re.IGNORECASE)
_INI = frozenset({".npmrc", ".pypirc", ".s3cfg", ".boto", ".my.cnf", "pip.conf", "credentials", "rclone.conf"})
_TEXT = frozenset(
    {
        ".netrc", "_netrc", ".pgpass", ".git-credentials", ".bashrc", ".zshrc", ".profile", ".bash_profile", ".zprofile",
        ".zshenv", "dockerfile", ".curlrc", ".wgetrc", "config",
    }
)  # fmt: skip
_TEXT_SUFFIXES = frozenset({".conf", ".cnf", ".xml", ".tfvars", ".service", ".config", ".sh", ".rc", ".netrc", ".hcl"})
NAMES_A_USER = re.compile(r"user|login|account|uid|key_?id|access_?key", re.IGNORECASE)
"""Keys whose whole value may be the name of a user or the id of a key."""

_NEVER = re.compile(
    r"(?:^|[._-])(?:history|hist|log|logs|transcripts?|sessions?|conversations?|trace|dump|bak|backup|old|orig|save|swp|tmp|example|sample|template|dist)"
    r"(?:[._-]|\Z)|~\Z|\.jsonl\Z|\.ndjson\Z",
    re.IGNORECASE,
)
_NEVER_FOLDERS = frozenset(
    {
        "logs", "log", "transcripts", "transcript", "history", "sessions", "session", "conversations", "chats", ".git", "node_modules",
        "cache", ".cache", "__pycache__", "backup", "backups", "trash", "tests", "test", "fixtures",
    }
)  # fmt: skip


def format_by_name(path: str) -> str | None:
    """The format by the file's name (`dotenv`, `json`, …, `text`); None where it is not known to be a configuration."""
    name = os.path.basename(path)
    suffix = os.path.splitext(name)[1].lower()
    if _DOTENV.match(name):
        return "dotenv"
    if suffix in _BY_SUFFIX:
        return (
            "json5" if suffix == ".json" and name in ("settings.json", "tsconfig.json", "openclaw.json") else _BY_SUFFIX[suffix]
        )
    if name.lower() in _INI:
        return "ini"
    return "text" if name.lower() in _TEXT or suffix in _TEXT_SUFFIXES else None


def is_record(path: str) -> bool:
    """Whether a file records what was (a transcript, a log, a history, a backup, an example), so that changing it helps nobody."""
    folders = os.path.dirname(path).replace("\\", "/").split("/")
    return bool(_NEVER.search(os.path.basename(path))) or any(folder.lower() in _NEVER_FOLDERS for folder in folders)
