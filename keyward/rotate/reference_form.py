"""The form of a reference to a secret. It is looked at here and nowhere resolved, and never shown: it may be a value by mistake.

| reference | what it names |
|---|---|
| `env:NAME` | an environment variable |
| `keyring:SERVICE/USER` | an entry of the system's keyring |
| `vault:STORE/PATH#PART` | a part of what a store holds at a path; without the store's name, the first vault there is |
| `file:PATH` | a file (absolute, or below `~/`) that only its owner may read |
| `exec:COMMAND` | what a command prints, run without a shell |
"""

from __future__ import annotations

import re

SCHEMES = ("env", "keyring", "vault", "file", "exec")

FORMS = "env:NAME, keyring:SERVICE/USER, vault:STORE/PATH#PART, file:/PATH or exec:COMMAND"

_PATTERNS = {
    "env": re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}"),
    "keyring": re.compile(r"[^/\s][^/]{0,199}/[^/\s][^/]{0,199}"),
    "vault": re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.@-]+)*(?:#[A-Za-z0-9_.-]+)?"),
    "file": re.compile(r"(?:/|~/|[A-Za-z]:[\\/]).{1,1000}"),
    "exec": re.compile(r"\S.{0,1000}"),
}

_SECRET_KEY = re.compile(r"(?:.*_)?(?:token|password|passphrase|secret|secret_id|jwt|api_key|unseal_key|private_key)")


def problem(text: str) -> str:
    """What is wrong with a text that must be a reference, without repeating any of it; empty if nothing is."""
    scheme, colon, rest = text.partition(":")
    if not colon or scheme not in SCHEMES:
        return "holds something that is no reference, perhaps the secret itself"
    if not text.isprintable() or not _PATTERNS[scheme].fullmatch(rest):
        return f"begins like a reference of the form `{scheme}:`, and is none"
    return ""


def wants_reference(key: str) -> bool:
    """Whether a setting of this name would hold a secret, so that only a reference may stand there."""
    return bool(_SECRET_KEY.fullmatch(key))
