"""Whether a place is a live configuration, to be rotated and updated, or an echo, to be scrubbed."""

from __future__ import annotations

LIVE, ECHO = "live-config", "echo"

_ECHO_ENDINGS = (
    ".md", ".markdown", ".rst", ".txt", ".log", ".jsonl", ".ndjson", ".ipynb", ".bak", ".old", ".orig", ".swp", "~", ".html",
    ".htm", ".pdf", ".csv", ".tsv", ".har", ".cast", ".patch", ".diff", ".out", ".err", ".history", ".eml", ".dump",
)  # fmt: skip
_ECHO_FOLDERS = (
    "/logs/",
    "/log/",
    "/history/",
    "/transcripts/",
    "/sessions/",
    "/memory/",
    "/exports/",
    "/backups/",
    "/.history/",
)


def role_of(path: str) -> str:
    """`live-config` or `echo`, from the path alone. A file that a program reads its settings or code from is live."""
    lowered = "/" + path.replace("\\", "/").lower()
    name = lowered.rpartition("/")[2]
    if name.startswith(".env") or name in (".netrc", "_netrc", ".pgpass", ".npmrc", ".pypirc"):
        return ECHO if name.endswith(_ECHO_ENDINGS) else LIVE
    if name.endswith("_history") or name.startswith((".bash_history", ".zsh_history", "fish_history")) or ".bak" in name:
        return ECHO
    if ".log." in name or name.endswith(_ECHO_ENDINGS) or any(folder in lowered for folder in _ECHO_FOLDERS):
        return ECHO
    return LIVE
