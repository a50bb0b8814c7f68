"""Reads what other scanners left in a repository: `.secrets.baseline` of detect-secrets and `.gitleaksignore`."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from keyward.errors import ConfigError
from keyward.formats.textfile import read_text
from keyward.model.finding import Allowance

DETECT_SECRETS, GITLEAKS = ".secrets.baseline", ".gitleaksignore"


def value_hashes(values: Iterable[bytes]) -> frozenset[str]:
    """What detect-secrets calls these values: the hex of their SHA-1, unsalted."""
    import hashlib

    return frozenset(hashlib.sha1(value, usedforsecurity=False).hexdigest() for value in values)


class DetectSecretsBaseline(NamedTuple):
    """A baseline of detect-secrets 1.x: by path, the hash of each value and its audit label (None where nobody looked).

    As there, being listed is enough to pass, whatever the label. A private key is listed by its header line only, and so
    its entry is no use here: it would let every other key in the file pass as well.
    """

    secrets: Mapping[str, Mapping[str, bool | None]] = {}  # read once, never changed

    @classmethod
    def load(cls, path: str) -> DetectSecretsBaseline | None:
        """None if there is no such file. Raises ConfigError for one that is no detect-secrets baseline."""
        text = read_text(path)
        return None if text is None else cls.loads(text, path)

    @classmethod
    def loads(cls, text: str, path: str = DETECT_SECRETS) -> DetectSecretsBaseline:
        """The baseline in a text. Raises ConfigError for one that is no detect-secrets baseline."""
        import json

        hint = "Write it again with `detect-secrets scan`, or delete it and use `keyward baseline create`."
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            line = getattr(error, "lineno", 0)
            raise ConfigError("is not JSON", path=path, line=line, hint=hint) from None
        results = data.get("results") if isinstance(data, dict) else None
        if not isinstance(results, dict):
            raise ConfigError("is no detect-secrets baseline: it has no `results`", path=path, hint=hint)
        secrets: dict[str, dict[str, bool | None]] = {}
        for name, items in results.items():
            for item in items if isinstance(items, list) else ():
                digest, label = _listed(item)
                if digest:
                    known = secrets.setdefault(_slashes(name), {})
                    known[digest] = label if label is not None else known.get(digest)
        return cls(secrets)

    def allows(self, path: str, hashes: Collection[str]) -> Allowance | None:
        """Whether one of a credential's values (see `value_hashes`) is listed for its file, and what the audit said."""
        listed = self.secrets.get(_slashes(path))
        if not listed:
            return None
        for digest in hashes:
            if digest in listed:
                label = listed[digest]
                said = (
                    "not audited" if label is None else "audited as a real secret" if label else "audited as a false positive"
                )
                return Allowance(DETECT_SECRETS, said)
        return None


def _listed(item: Any) -> tuple[str, bool | None]:
    if not isinstance(item, dict) or item.get("type") == "Private Key":
        return "", None
    digest, label = item.get("hashed_secret"), item.get("is_secret")
    return (digest.lower() if isinstance(digest, str) else ""), (label if isinstance(label, bool) else None)


class GitleaksIgnore(NamedTuple):
    """A `.gitleaksignore`: lines `file:rule:line` and `commit:file:rule:line`.

    Its entries are positions, so they stop to hold when code moves, and may come to mean another secret. Rule names are not
    compared: they are another tool's. Lines that cannot be read are counted in `unread`, as gitleaks warns and goes on.
    """

    places: frozenset[tuple[str, str, int]] = frozenset()
    unread: tuple[int, ...] = ()

    @classmethod
    def load(cls, path: str) -> GitleaksIgnore | None:
        """None if there is no such file."""
        text = read_text(path)
        return None if text is None else cls.loads(text)

    @classmethod
    def loads(cls, text: str) -> GitleaksIgnore:
        """The entries in a text."""
        places: set[tuple[str, str, int]] = set()
        unread = []
        for number, row in enumerate(text.split("\n"), 1):
            row = row.strip()
            if not row or row.startswith("#"):
                continue
            place = _place(row)
            if place is None:
                unread.append(number)
            else:
                places.add(place)
        return cls(frozenset(places), tuple(unread))

    def allows(self, path: str, line: int, commit: str = "") -> Allowance | None:
        """Whether a place is listed: without a commit, or for this commit."""
        path = _slashes(path)
        if ("", path, line) in self.places or (commit and (commit, path, line) in self.places):
            return Allowance(GITLEAKS, "listed by file and line")
        return None


def _place(row: str) -> tuple[str, str, int] | None:
    head, _, line = row.rpartition(":")
    path, _, rule = head.rpartition(":")
    if not path or not rule or not line.isascii() or not line.isdigit() or len(line) > 9:
        return None
    commit, colon, rest = path.partition(":")
    if colon and rest and len(commit) in (40, 64) and all(c in "0123456789abcdef" for c in commit.lower()):
        return commit.lower(), _slashes(rest), int(line)
    return "", _slashes(path), int(line)


def _slashes(path: str) -> str:
    path = path.replace("\\", "/")
    if os.path.isabs(path):
        return path
    return path[2:] if path.startswith("./") else path
