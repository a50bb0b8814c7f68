"""Writes a first operator's configuration from a scan's report: lanes, credentials, consumers. No value is read or written.

Found credentials are put into lanes by the folder that they stand in, a live configuration before an echo of it. Each is named by
its kind, with its fingerprint and places in a comment. A live place becomes a consumer where its form is known. What no
rotator replaces is marked, with the steps that a person takes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from keyward.model.kind import CredentialKind, Kind
from keyward.model.lane import ConsumerSpec
from keyward.plugin.rotator import Rotator
from keyward.rotate.found import LIVE, Found, Report
from keyward.rotate.operator import DEFAULTS

_HEAD = """\
# keyward: your own configuration. No secret stands here, and none may: only references, names and paths.
# Check it with: keyward config check
# An editor that knows JSON schema helps with: keyward config schema

# Where credentials are kept. Without a table, keyward uses an age-encrypted file in your state folder.
# [stores.main]
# type = "vault"
# address = "https://vault.example:8200"
# token = "env:BAO_TOKEN"

# [lanes.defaults]
# path = "lanes/{lane}/{name}"
# rotate_every = { tier1 = "30d", tier2 = "90d", tier3 = "180d" }
"""

MOST_PLACES = 5


ConsumerOf = Callable[[Found], "ConsumerSpec | None"]
"""The consumer that would write the value at a place; None where nobody can tell."""


class _Planned(NamedTuple):
    """One credential, and the places where it was found, live ones first."""

    lane: str
    name: str
    places: tuple[Found, ...]

    @property
    def kind(self) -> Kind:
        return self.places[0].kind


def write_config(
    report: Report,
    *,
    kind_of: Callable[[Kind], CredentialKind],
    rotator_of: Callable[[Kind], Rotator | None],
    consumer_of: ConsumerOf,
    base: str,
) -> str:
    """The configuration as TOML. `base`: the folder that the report's paths are relative to."""
    planned = _plan(report, base)
    blocks = [_HEAD]
    if not report.complete:
        blocks.append("# The scan was not complete: what it could not read may hold more.\n")
    for lane in dict.fromkeys(each.lane for each in planned):
        entries = [each for each in planned if each.lane == lane]
        blocks.append(
            f'\n[lanes.{quoted_key(lane)}]\n# tier = 2                 # 1 is treated first\n# environment = "production"\n'
        )
        blocks += [_credential(each, kind_of(each.kind), rotator_of(each.kind)) for each in entries]
        blocks += _consumers(lane, entries, consumer_of)
    if not planned:
        blocks.append("\n# The report names no credential.\n")
    return "".join(blocks)


def _plan(report: Report, base: str) -> list[_Planned]:
    planned: list[_Planned] = []
    taken: set[tuple[str, str]] = set()
    for fingerprint in report.fingerprints():
        places = tuple(sorted(report.places(fingerprint), key=lambda each: each.role != LIVE))
        lane = _slug(_lane_of(places[0].path, base), "main")
        stem = _slug(str(places[0].kind).replace("/", "-"), "credential")
        name = next(
            candidate
            for candidate in (stem if not number else f"{stem}-{number + 1}" for number in range(len(taken) + 1))
            if (lane, candidate) not in taken
        )
        taken.add((lane, name))
        planned.append(_Planned(lane, name, places))
    return planned


def _lane_of(path: str, base: str) -> str:
    """The last two folders above a file; of a file at the top of what was scanned, the name of that folder."""
    folder = os.path.dirname(os.path.normpath(path)).replace(os.sep, "/")
    steps = [step for step in folder.split("/") if step not in ("", ".", "..")]
    return "-".join(steps[-2:]) or os.path.basename(os.path.abspath(base))


def _slug(text: str, default: str) -> str:
    slug = re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-_")[:50].strip("-_")
    return default if not slug or slug == DEFAULTS else slug


def _credential(planned: _Planned, kind: CredentialKind, rotator: Rotator | None) -> str:
    lines = [f"\n[[lanes.{quoted_key(planned.lane)}.credentials]]", f"# {comment(kind.title)}, {planned.places[0].fingerprint}"]
    lines += [
        f"#   in {comment(place.path)}, line {place.line} ({comment(place.role)})" for place in planned.places[:MOST_PLACES]
    ]
    if len(planned.places) > MOST_PLACES:
        lines.append(f"#   and in {len(planned.places) - MOST_PLACES} more places")
    lines += [f"name = {quoted(planned.name)}", f"kind = {quoted(str(planned.kind))}"]
    lines.append('# rotate_every = "90d"')
    lines += list(_manual(kind, rotator) if rotator is None or rotator.manual is not None else _rotated(rotator))
    return "\n".join(lines) + "\n"


def _rotated(rotator: Rotator) -> Iterator[str]:
    if rotator.capabilities.expiry:
        yield '# expiry = "90d"          # a new one can be made to end'
    if rotator.admin.parts:
        variable = re.sub(r"[^A-Z0-9]+", "_", (rotator.title or "admin").upper()).strip("_")
        parts = ", ".join(f'{quoted_key(part)} = "env:{variable}_{part.upper()}"' for part in rotator.admin.parts)
        yield f"# admin = {{ {comment(parts)} }}"
    if rotator.admin.rights:
        yield f"#   it needs: {comment(', '.join(rotator.admin.rights))}"


def _manual(kind: CredentialKind, rotator: Rotator | None) -> Iterator[str]:
    manual = (rotator.manual if rotator is not None else None) or kind.manual
    yield "# manual: no rotator replaces this kind. `keyward rotate` waits for you, and does the rest."
    if manual is not None:
        yield from (f"#   {number}. {comment(step)}" for number, step in enumerate(manual.steps, 1))
        yield f"#   {comment(manual.url)}"


def _consumers(lane: str, entries: Sequence[_Planned], consumer_of: ConsumerOf) -> Iterator[str]:
    """A consumer for every live file and credential in it."""
    seen: set[tuple[str, str]] = set()
    for each in entries:
        for place in each.places:
            if place.role != LIVE or (each.name, place.path) in seen:
                continue
            seen.add((each.name, place.path))
            spec = consumer_of(place)
            if spec is None or not _writable(spec.options):
                yield f"\n# {comment(place.path)} uses {each.name}, and no consumer is known that could write it:\n"
                yield '# see `type = "exec"`, or update it by hand after each rotation.\n'
                continue
            yield f"\n[[lanes.{quoted_key(lane)}.consumers]]\ntype = {quoted(spec.type)}\n"
            yield from (f"{quoted_key(key)} = {_value(value)}\n" for key, value in spec.options.items())
            yield f'credentials = [{quoted(each.name)}]\n# check = ["…"]            # a command that tells whether all is well\n'


def _value(value: object) -> str:
    """A value of TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{quoted_key(str(key))} = {_value(item)}" for key, item in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return quoted(str(value))


def _writable(options: object) -> bool:
    """Whether all of it can be written in TOML: a path that is not UTF-8 cannot."""
    if isinstance(options, Mapping):
        return all(_writable(key) and _writable(item) for key, item in options.items())
    if isinstance(options, (list, tuple)):
        return all(_writable(item) for item in options)
    return not isinstance(options, str) or not any(0xD800 <= ord(character) <= 0xDFFF for character in options)


def quoted(text: str) -> str:
    """A basic string of TOML; whatever does not show is escaped."""
    return (
        '"'
        + "".join(_escaped(character) if character in '"\\' or not character.isprintable() else character for character in text)
        + '"'
    )


def quoted_key(text: str) -> str:
    """A key of TOML: bare where that is possible."""
    return text if re.fullmatch("[A-Za-z0-9_-]+", text) else quoted(text)


def comment(text: str) -> str:
    """What may stand in a comment: on one line, and nothing that does not show."""
    return "".join(character if character.isprintable() else _escaped(character) for character in text)[:300]


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return f"\\u{ord(character):04x}" if ord(character) < 0x10000 else f"\\U{ord(character):08x}"
