"""A redactor for the tests of stores, and a scrub that proves what holds for every store."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from keyward.match import catalogue
from keyward.match.matcher import Matcher
from keyward.model.kind import Kind
from keyward.model.secret import Secret
from keyward.registry import Registry
from keyward.scrub.encodings import forms
from keyward.scrub.known import KnownSecret, KnownSecrets
from keyward.scrub.plan import Place, Result, StoreScrubber, Treatment
from keyward.scrub.pseudonym import Pseudonyms
from keyward.scrub.redactor import Redactor, Style
from keyward.scrub.stores import HEAD, store_for
from keyward.scrub.stores.sqlite import SqliteScrubber
from keyward.scrub.stores.whole_file import WholeFiles

PSEUDONYMS = Pseudonyms(b"k" * 32)


@cache
def matcher() -> Matcher:
    registry = Registry()
    return Matcher(registry, catalogue.load(registry))


def redactor(*known: bytes) -> Redactor:
    """`known`: values that nothing but their being known gives away."""
    secrets = [KnownSecret(Kind("lane/value"), Secret(value), PSEUDONYMS.of(value)) for value in known]
    return Redactor(matcher(), PSEUDONYMS, KnownSecrets(secrets))


def store(path: Path) -> StoreScrubber:
    found = store_for(str(path), path.read_bytes()[:HEAD])
    assert found is not None, path
    if isinstance(found, WholeFiles):  # journals and names of a test's own
        return WholeFiles(
            found.name, found.recognises, pseudonyms=PSEUDONYMS, journals=str(path.parent / "journals"), sleep=lambda _: None
        )
    if isinstance(found, SqliteScrubber):
        return SqliteScrubber(journals=f"{path.parent}-journals")
    return found


def scrub(path: Path, *known: bytes, style: Style = Style.TOKEN) -> Result:
    """Scrubs a file of which all can go: nothing is left, nothing lies beside it, and what it was told by is as before."""
    before = path.stat()
    names = set(path.parent.iterdir())
    planned = plan(path, *known, style=style)
    assert planned.treatment is Treatment.REPLACE, planned
    result = store(path).scrub(str(path), redactor(*known), style)
    assert result.before == planned.found and result.before
    assert (dict(result.after), result.left) == ({}, ()), result
    # a log that a killed program left is emptied and goes
    assert names - set(path.parent.iterdir()) <= {Path(f"{path}{ending}") for ending in ("-wal", "-shm", "-journal")}
    assert set(path.parent.iterdir()) <= names
    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_mtime_ns) == (before.st_mode, before.st_uid, before.st_mtime_ns)
    assert not store(path).plan(str(path), redactor(*known), style).found
    return result


def plan(path: Path, *known: bytes, style: Style = Style.TOKEN) -> Place:
    """A plan, which changes nothing and leaves nothing."""
    content, names = path.read_bytes(), set(path.parent.iterdir())
    planned = store(path).plan(str(path), redactor(*known), style)
    assert path.read_bytes() == content and set(path.parent.iterdir()) == names
    return planned


def holds(data: bytes, values: Sequence[bytes]) -> list[str]:
    """Which encodings of which values stand in the bytes, or their long words in lower case."""
    return [
        f"{number} {name}"
        for number, value in enumerate(values)
        for name, form in (*forms(value), ("lower", value.split(b"_")[-1].lower()))
        if form in data
    ]
