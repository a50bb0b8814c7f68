"""The baseline: findings that a project knows about, committed to its repository as `.keyward.baseline`.

    {"keyward-baseline": 1, "salt": "qz…"}
    {"fingerprint": "kw1_…", "kind": "github/pat-classic", "masked": "ghp_…x7 (40)", "status": "accepted", "reason": "…"}

JSON, one entry a line, sorted by fingerprint. An entry says nothing of where the secret stands, so moving code never changes
the file, and a line depends on nothing but its own finding: what two branches add merges line by line. Where git
still sees a conflict (both added at the same place), keeping both sides is always right; order and repeated lines do not
matter when the file is read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any, NamedTuple, NoReturn

from keyward.errors import ConfigError
from keyward.formats.textfile import read_text
from keyward.match.fingerprint import from_base32, is_fingerprint, to_base32
from keyward.model.finding import Allowance, Finding, Occurrence

NAME = ".keyward.baseline"
VERSION = 1

UNREVIEWED, FALSE_POSITIVE, ACCEPTED, REVOKED = "unreviewed", "false-positive", "accepted", "revoked"
STATUSES = (UNREVIEWED, FALSE_POSITIVE, ACCEPTED, REVOKED)
"""What a person decided: nothing yet; no secret at all; a secret that may stay; a secret that is dead."""

_MARKERS = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")
_FIELDS = ("fingerprint", "kind", "masked", "status", "reason")


class Entry(NamedTuple):
    """A known finding. `masked` is only there for the reader of the file."""

    fingerprint: str
    kind: str = ""
    masked: str = ""
    status: str = UNREVIEWED
    reason: str = ""


class Baseline(NamedTuple):
    """Entries by fingerprint, and the salt that they were made with (empty where there is no file)."""

    salt: bytes = b""
    entries: Mapping[str, Entry] = {}  # never changed: every method answers with a new Baseline
    path: str = ""

    def match(self, fingerprint: str) -> Allowance | None:
        """Why a finding need not be reported again, or None if the baseline does not know it."""
        entry = self.entries.get(fingerprint)
        if entry is None:
            return None
        return Allowance("baseline", f"{entry.status}: {entry.reason}" if entry.reason else entry.status)

    def stale(self, seen: Set[str]) -> tuple[str, ...]:
        """The fingerprints that a scan of the whole project did not see."""
        return tuple(sorted(self.entries.keys() - seen))

    def prune(self, seen: Set[str]) -> Baseline:
        """Without the entries that a scan of the whole project did not see."""
        return self._replace(entries={name: entry for name, entry in self.entries.items() if name in seen})

    def label(self, fingerprint: str, status: str, reason: str = "") -> Baseline:
        """With a person's decision on one entry. Raises KeyError for an unknown fingerprint, ValueError for a status."""
        if status not in STATUSES:
            raise ValueError(f"a status is one of {', '.join(STATUSES)}")
        entry = self.entries[fingerprint]._replace(status=status, reason=" ".join(reason.split()))
        return self._replace(entries={**self.entries, fingerprint: entry})


def create(findings: Iterable[Finding | Occurrence], salt: bytes, previous: Baseline | None = None) -> Baseline:
    """A baseline of these findings and of everything in the previous one, whose labels stay; `prune` drops what is gone.

    Raises ConfigError if the previous one was made with another salt, because its fingerprints mean nothing then.
    """
    entries: dict[str, Entry] = dict(previous.entries) if previous else {}
    if previous and previous.salt and previous.salt != salt:
        raise ConfigError(
            "was made with another salt than these findings", path=previous.path, hint="Scan again with this baseline."
        )
    for finding in findings:
        known = entries.get(finding.fingerprint, Entry(finding.fingerprint))
        entries[finding.fingerprint] = known._replace(kind=str(finding.kind), masked=finding.masked)
    return Baseline(salt, entries, previous.path if previous else "")


def dumps(baseline: Baseline) -> str:
    """The file's text: the same for the same entries, whatever their order."""
    head = {"keyward-baseline": VERSION, "salt": to_base32(baseline.salt)}
    lines = [_line(head)]
    for fingerprint in sorted(baseline.entries):
        entry = baseline.entries[fingerprint]._asdict()
        lines.append(_line({name: value for name, value in entry.items() if value}))
    return "\n".join(lines) + "\n"


def _line(values: Mapping[str, Any]) -> str:
    import json

    text = json.dumps(values, ensure_ascii=False)
    # A reader of a diff sees what is there: no control, bidirectional or lone surrogate character stands as itself.
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def save(baseline: Baseline, path: str) -> None:
    """Writes the file whole or not at all; a link is replaced, not followed. Raises ConfigError if that is not possible."""
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "x", encoding="utf-8", newline="\n") as file:
            file.write(dumps(baseline))
        os.replace(temporary, path)
    except OSError as error:
        try:
            os.unlink(temporary)
        except OSError:
            pass
        raise ConfigError(f"cannot be written: {(error.strerror or 'error').lower()}", path=path) from None


def load(path: str) -> Baseline | None:
    """The baseline in a file, or None if there is no such file. Raises ConfigError, with the line, for a file that is wrong."""
    text = read_text(path)
    return None if text is None else loads(text, path)


def loads(text: str, path: str = NAME) -> Baseline:
    """The baseline in a text. Raises ConfigError with the line of what is wrong."""
    rows = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    for number, line in rows:
        if line.startswith(_MARKERS):
            hint = f"Keep the lines of both sides and delete the markers; `{NAME} merge=union` in .gitattributes does that for you."
            raise ConfigError("a merge conflict is not resolved", path=path, line=number, hint=hint)
    if not rows:
        _wrong(path, 1, "the baseline is empty", "Run `keyward baseline create`.")
    salt = _head(path, *rows[0])
    entries: dict[str, Entry] = {}
    where: dict[str, int] = {}
    for number, line in rows[1:]:
        values = _object(path, number, line)
        if "keyward-baseline" in values:
            if _head(path, number, line) != salt:
                _wrong(path, number, "a second salt", "The file is two baselines; keep the lines of one and scan again.")
            continue
        entry = _entry(path, number, values)
        known = entries.setdefault(entry.fingerprint, entry)
        where.setdefault(entry.fingerprint, number)
        if known != entry:
            entries[entry.fingerprint] = _merged(path, number, where[entry.fingerprint], known, entry)
    return Baseline(salt, entries, path)


def _merged(path: str, number: int, first: int, one: Entry, other: Entry) -> Entry:
    """One finding on two lines, as a merge leaves it: what somebody decided wins over what nobody looked at."""
    if (one.status, one.reason) == (other.status, other.reason) or other.status == UNREVIEWED:
        return one
    if one.status == UNREVIEWED:
        return other
    _wrong(path, number, f"the finding of line {first} again, with another status or reason", "Delete one of the two lines.")


def _head(path: str, number: int, line: str) -> bytes:
    values = _object(path, number, line)
    version = values.get("keyward-baseline")
    if type(version) is not int:
        hint = "Run `keyward baseline create`; a detect-secrets baseline is read from .secrets.baseline by itself."
        _wrong(path, number, "this is no keyward baseline", hint)
    if version != VERSION:
        _wrong(path, number, f"format {version}; this keyward knows format {VERSION}", "Update keyward.")
    _known_fields(path, number, values, ("keyward-baseline", "salt"))
    try:
        salt = from_base32(_text(path, number, values, "salt"))
    except ValueError:
        salt = b""
    if not 16 <= len(salt) <= 64:
        _wrong(path, number, "the salt is damaged", "Restore the line from the file's history: all fingerprints depend on it.")
    return salt


def _entry(path: str, number: int, values: Mapping[str, Any]) -> Entry:
    _known_fields(path, number, values, _FIELDS)
    entry = Entry(*(_text(path, number, values, field) for field in _FIELDS))
    if not is_fingerprint(entry.fingerprint):
        _wrong(path, number, "an entry without a valid fingerprint", "Delete the line and run `keyward baseline create`.")
    status = entry.status or UNREVIEWED
    if status not in STATUSES:
        _wrong(path, number, "an unknown status", f"One of: {', '.join(STATUSES)}.")
    return entry._replace(status=status)


def _object(path: str, number: int, line: str) -> Mapping[str, Any]:
    import json

    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        _wrong(path, number, "not a JSON object on one line", "Restore the line from the file's history.")
    return values


def _text(path: str, number: int, values: Mapping[str, Any], field: str) -> str:
    value = values.get(field, "")
    if not isinstance(value, str):
        _wrong(path, number, f"`{field}` is not text", "Put it in quotation marks.")
    return value


def _known_fields(path: str, number: int, values: Mapping[str, Any], fields: Sequence[str]) -> None:
    if any(field not in fields for field in values):
        _wrong(path, number, "a field that keyward does not know", f"Known are: {', '.join(fields)}.")


def _wrong(path: str, line: int, message: str, hint: str) -> NoReturn:
    raise ConfigError(message, path=path, line=line, hint=hint)
