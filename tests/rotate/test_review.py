"""What `lanes check` says of lanes that are not in order."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from tests_support import token

from keyward.errors import ConfigError, Refused, StoreUnavailable
from keyward.match.fingerprint import Fingerprinter, to_base32
from keyward.model.kind import CredentialKind, Kind
from keyward.model.lane import ConsumerSpec, Entry, Lane
from keyward.model.secret import Secret
from keyward.plugin.rotator import Capabilities, Rotator, Warning
from keyward.plugin.store import Slot, Stored
from keyward.rotate.found import Report, read_report
from keyward.rotate.operator import Operator
from keyward.rotate.replaced import Replaced
from keyward.rotate.review import Problem, Sources, review
from keyward.stores.memory import MemoryStore

NOW = 1_800_000_000.0
SALT = bytes(32)
KIND = CredentialKind(Kind("github/pat-classic"), "GitHub token", identity=("secret",))


def fingerprint(value: bytes, salt: bytes = SALT) -> str:
    return Fingerprinter(salt).of(value)


def record(value: bytes, path: str = "src/.env", line: int = 3, **more) -> dict[str, object]:
    return {
        "type": "finding", "fingerprint": fingerprint(value), "kind": "github/pat-classic", "severity": "critical", "line": line, "parts": ["secret"],
        "public_id": "", "role": "live-config", "path": path,
        "locator": {"source": "tree", "path": path, "start": 4, "end": 44, "encoding": "raw", "blob": "", "container": []}, **more,
    }  # fmt: skip


def written(
    folder: Path, *records: dict[str, object], salt: bytes = SALT, complete: bool = True, name: str = "r.jsonl"
) -> Report:
    lines = [*records, {"type": "summary", "salt": to_base32(salt), "complete": complete}]
    (folder / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    return read_report(str(folder / name))


class Lanes:
    """Lanes of one credential each, with their values in a store."""

    def __init__(self) -> None:
        self.store = MemoryStore("main")
        self.lanes: dict[str, Lane] = {}

    def add(self, lane: str, value: bytes | None, *, environment: str = "", consumers=(), age: float = 0.0, **more) -> Lanes:
        entry = Entry(lane, "token", KIND.name, "main", f"lanes/{lane}/token", **more)
        self.lanes[lane] = Lane(lane, environment=environment, entries=(entry,), consumers=consumers)
        if value is not None:
            labels = {"written": str(int(NOW - age))}
            self.store.write(entry.path, Slot.CURRENT, {"secret": Secret(value)}, labels, expected=0)
        return self

    def review(self, rotator: Rotator | None = None, **more) -> list[Problem]:
        sources = Sources(
            current=lambda entry: self.store.read(entry.path, Slot.CURRENT),
            kind_of=lambda kind: KIND,
            rotator_of=lambda kind: rotator,
            now=NOW,
            salt=SALT,
        )._replace(**more)
        return review(Operator(lanes=self.lanes), sources)


def codes(problems: Iterable[Problem]) -> list[tuple[str, str]]:
    return [(problem.code, problem.ref) for problem in problems]


def test_lanes_that_are_in_order() -> None:
    assert Lanes().add("a", token(1)).add("b", token(2)).review() == []


def test_one_value_in_two_lanes() -> None:
    lanes = Lanes().add("a", token(1), environment="production").add("b", token(1), environment="test").add("c", token(2))
    problems = lanes.review()
    assert codes(problems) == [("shared", "a/token"), ("shared", "b/token")]
    assert "b/token" in problems[0].text and "production, test" in problems[0].text
    assert token(1).decode() not in repr(problems)


def test_overdue_and_not_stored() -> None:
    problems = Lanes().add("a", token(1), age=91 * 86400.0).add("b", None).review()
    assert codes(problems) == [("overdue", "a/token"), ("not-stored", "b/token")]
    assert problems[0].hint == "keyward rotate a/token"


class Expiring(Rotator):
    title = "GitHub"
    capabilities = Capabilities(expiry=True)


def test_no_expiry_where_there_could_be_one() -> None:
    lanes = Lanes().add("a", token(1)).add("b", token(2), expiry=86400.0 * 90)
    assert codes(lanes.review(Expiring())) == [("no-expiry", "a/token")]
    assert lanes.review(Rotator()) == []


def test_what_a_scan_found(tmp_path: Path) -> None:
    report = written(tmp_path, record(token(1)), record(token(1), "notes.md", 9), record(token(2), "other/.env"))
    lanes = Lanes().add("a", token(1)).add("b", token(3))
    problems = lanes.review(report=report)
    assert codes(problems) == [("plaintext", "a/token"), ("unowned", fingerprint(token(2)))]
    assert "src/.env:3, notes.md:9" in problems[0].text
    assert "GitHub token in other/.env:3 belongs to no lane" in problems[1].text and "keyward lanes adopt" in problems[1].hint


def test_a_consumers_own_file_is_where_it_should_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    report = written(tmp_path, record(token(1)))
    consumer = ConsumerSpec("dotenv", {"path": str(tmp_path / "src" / ".env")})
    assert Lanes().add("a", token(1), consumers=(consumer,)).review(report=report) == []
    other = consumer._replace(credentials=("something-else",))
    assert codes(Lanes().add("a", token(1), consumers=(other,)).review(report=report)) == [("plaintext", "a/token")]


def test_fingerprints_are_made_under_the_reports_salt(tmp_path: Path) -> None:
    salt = bytes(range(32))
    one = record(token(1)) | {"fingerprint": fingerprint(token(1), salt)}
    assert codes(Lanes().add("a", token(1)).review(report=written(tmp_path, one, salt=salt))) == [("plaintext", "a/token")]


def test_what_the_provider_says_is_added() -> None:
    def live(lane: Lane, entry: Entry) -> list[Warning]:
        if lane.name == "b":
            raise Refused("not allowed to list", hint="Grant iam:ListAccessKeys.")
        return [Warning("over-broad", "it is an administrator's")]

    problems = Lanes().add("a", token(1)).add("b", token(2)).review(live=live)
    assert codes(problems) == [("over-broad", "a/token"), ("unreadable", "b/token")]
    assert problems[1].hint == "Grant iam:ListAccessKeys."


def test_one_key_without_an_end_is_named_once() -> None:
    """By its provider, which knows the key; what the lane does not ask for is the same thing."""
    lanes = Lanes().add("a", token(1)).add("b", token(2), expiry=86400.0 * 90).add("c", token(3))

    def live(lane: Lane, entry: Entry) -> list[Warning]:
        return [Warning("no-expiry", f"{lane.name} has no end")] if lane.name in "ab" else []

    problems = lanes.review(Expiring(), live=live)
    assert codes(problems) == [("no-expiry", "a/token"), ("no-expiry", "b/token"), ("no-expiry", "c/token")]
    assert [each.text for each in problems[:2]] == ["a has no end", "b has no end"]
    assert "expiry =" in problems[0].hint and problems[1].hint == "The next one will end: keyward rotate b/token"
    assert [each.hint for each in lanes.review(Rotator(), live=live)] == ["", ""]


def test_what_a_rotation_replaced_is_not_unowned(tmp_path: Path) -> None:
    report = written(tmp_path, record(token(1)), record(token(2)), record(token(3)))
    names = [fingerprint(token(number)) for number in (1, 2)]
    past = {
        names[0]: Replaced(names[0], "r1", "a/token", NOW, over=True, proved=True),
        names[1]: Replaced(names[1], "r2", "a/token", NOW, over=False, proved=False),
    }
    problems = Lanes().add("a", token(9)).review(report=report, past=past)
    assert codes(problems) == [("unfinished", "a/token"), ("unowned", fingerprint(token(3)))]
    assert problems[0].hint == "keyward resume r2"
    assert codes(Lanes().add("a", token(1)).review(report=report, past=past))[0] == ("plaintext", "a/token")


def test_a_store_that_is_sealed_is_said_once() -> None:
    asked: list[str] = []

    def sealed(entry: Entry) -> Stored:
        asked.append(entry.ref)
        raise StoreUnavailable("sealed")

    assert codes(Lanes().add("a", token(1)).review(current=sealed)) == [("unreadable", "a/token")]
    assert asked == ["a/token"]


def test_reports_of_both_formats(tmp_path: Path) -> None:
    whole = {
        "schema": "keyward.report/1",
        "findings": [record(token(1))],
        "summary": {"salt": to_base32(SALT), "complete": True},
    }
    (tmp_path / "r.json").write_text(json.dumps(whole, indent=2))
    assert read_report(str(tmp_path / "r.json"))._replace(path="") == written(tmp_path, record(token(1)))._replace(path="")
    odd = record(token(1))
    odd["locator"] = {**odd["locator"], "path_bytes": "L3Nydi//"}  # type: ignore[dict-item]
    assert written(tmp_path, odd).found[0].path == "/srv/\udcff"
    assert not written(tmp_path, complete=False).complete


BAD = [
    ("", "no summary"),
    ("{}\n", "not of a report"),
    ("not json\n", "not of a report"),
    (json.dumps(record(token(1))) + "\n", "no summary"),
    (json.dumps({"type": "summary", "salt": "x"}), "names no salt"),
    (json.dumps({"type": "summary"}), "names no salt"),
    ('{"findings": [1], "summary": {}}', "is not a report"),
    ("[" * 100_000, "not of a report"),
    *((json.dumps(record(token(1), **change)) + "\n", "has not the form") for change in (
        {"fingerprint": "kw1_x"}, {"fingerprint": 1}, {"line": "3"}, {"line": -1}, {"parts": [1]}, {"parts": None}, {"locator": {}}, {"locator": []},
        {"locator": {**record(b"x")["locator"], "end": 1}}, {"locator": {**record(b"x")["locator"], "path_bytes": "%"}},
    )),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BAD)
def test_what_is_no_report_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "r").write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_report(str(tmp_path / "r"))
    with pytest.raises(ConfigError, match="no such report"):
        read_report(str(tmp_path / "missing"))
