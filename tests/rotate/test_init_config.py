"""`keyward init`: what is written from a report can be read, and holds no value."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path

import jsonschema
import pytest
from tests_support import token

from keyward.errors import UsageError
from keyward.flows.config_check import check, schema
from keyward.flows.init_config import init
from keyward.flows.scan import ScanOptions, scan
from keyward.model.finding import Locator
from keyward.model.kind import CredentialKind, Kind, Manual
from keyward.model.lane import ConsumerSpec
from keyward.plugin.rotator import AdminNeed, Capabilities, Rotator
from keyward.report import ReportOptions, render
from keyward.rotate.found import Found, Report
from keyward.rotate.init_config import comment, quoted, write_config
from keyward.rotate.lanes import load_lanes

VALUES = [token(seed) for seed in (11, 12, 13)]


@pytest.fixture
def report(environment: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A report of a small project, made by a real scan."""
    project = tmp_path / "project"
    (project / "services" / "api").mkdir(parents=True)
    (project / ".env").write_bytes(b"A_TOKEN=" + VALUES[0] + b"\n")
    # one line with two credentials: a template of one would quote the other
    (project / "services" / "api" / ".env").write_bytes(b'TOKENS="' + VALUES[1] + b" " + VALUES[2] + b'"\n')
    (project / "notes.md").write_bytes(b"the token is " + VALUES[0] + b"\n")
    monkeypatch.chdir(project)
    outcome = scan(ScanOptions(paths=(".",), baseline=""))
    text = render("jsonl", outcome, ReportOptions(kind_of=lambda kind: CredentialKind(kind, str(kind))))
    (tmp_path / "report.jsonl").write_text(text)
    return str(tmp_path / "report.jsonl")


def test_from_a_scan_to_a_configuration(report: str, tmp_path: Path) -> None:
    target = tmp_path / "new" / "config.toml"
    written = init(report, str(target))
    assert written.credentials == 3 and written.path == str(target) and target.read_text() == written.text
    assert target.stat().st_mode & 0o777 == 0o600
    assert not [value for value in VALUES if value.decode()[8:] in written.text]
    operator = load_lanes(str(target))
    assert sorted(entry.ref for _, entry in operator.entries()) == [
        "project/github-pat-classic",
        "services-api/github-pat-classic",
        "services-api/github-pat-classic-2",
    ]
    (consumer,) = operator.lanes["project"].consumers
    assert consumer.options["path"] == str(tmp_path / "project" / ".env") and consumer.credentials == ("github-pat-classic",)
    assert consumer.type == "dotenv" and consumer.options["set"] == {"A_TOKEN": "{secret}"}
    assert {c.options["path"] for c in operator.lanes["services-api"].consumers} == {
        str(tmp_path / "project/services/api/.env")
    }
    assert "notes.md, line 1 (echo)" in written.text and "kw1_" in written.text
    data = tomllib.loads(written.text)
    assert jsonschema.Draft202012Validator(json.loads(schema())).is_valid(data)
    assert len(check(str(target)).operator.lanes) == 2


def test_what_is_there_is_not_overwritten(report: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "mine.toml"
    target.write_text("# mine\n")
    with pytest.raises(UsageError, match="is there already"):
        init(report, str(target))
    monkeypatch.setenv("KEYWARD_CONFIG", str(target))
    with pytest.raises(UsageError, match="is there already"):
        init(report)
    assert target.read_text() == "# mine\n"
    assert init(report, "-").path == "" and "[lanes.project]" in init(report, "-").text


def found(path: str, fingerprint: str = "kw1_" + "a" * 26, kind: str = "acme/key", role: str = "live-config") -> Found:
    return Found(fingerprint, Kind(kind), "high", path, 1, ("secret",), "", role, Locator("tree", path, 0, 1))


def made(
    *places: Found, rotator: Rotator | None = None, kind: CredentialKind | None = None, spec: ConsumerSpec | None = None, **more
) -> str:
    return write_config(
        Report("r", bytes(32), places, **more),
        kind_of=lambda name: kind or CredentialKind(name, "Acme key"),
        rotator_of=lambda name: rotator,
        consumer_of=lambda place: spec,
        base="/base",
    )


def loaded(text: str, tmp_path: Path):
    path = tmp_path / "c.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return load_lanes(str(path))


def test_what_no_rotator_replaces_has_the_steps() -> None:
    kind = CredentialKind(
        Kind("acme/key"), "Acme key", manual=Manual(("Make a new one.", "Delete the old one."), "https://acme.example/keys")
    )
    text = made(found("a/.env"), kind=kind)
    assert "# manual: no rotator" in text and "1. Make a new one." in text and "2. Delete the old one." in text
    assert "https://acme.example/keys" in text


class Acme(Rotator):
    title = "Acme Cloud"
    capabilities = Capabilities(expiry=True)
    admin = AdminNeed(("id", "secret"), ("keys.create", "keys.delete"))


def test_what_a_rotator_needs_is_proposed(tmp_path: Path) -> None:
    text = made(found("a/.env"), rotator=Acme())
    assert "manual" not in text.split("credentials]]")[1]
    assert 'id = "env:ACME_CLOUD_ID", secret = "env:ACME_CLOUD_SECRET"' in text and "keys.create, keys.delete" in text
    uncommented = text.replace("# admin", "admin").replace("# expiry", "expiry")
    (entry,) = loaded(uncommented, tmp_path).lanes["a"].entries
    assert entry.admin == {"id": "env:ACME_CLOUD_ID", "secret": "env:ACME_CLOUD_SECRET"} and entry.expiry == 90 * 86400


HOSTILE = [
    'a"\n[stores.evil]\ntype = "vault"/.env',
    "a\u202eb/x\x1b[2K.env",
    "a\x7f\x85\u2028/.env",
    "\udcff/\udcfe.env",
    "défaut/🔑/.env",
    "defaults/.env",
    "-/.env",
    "/.env",
    "../../.env",
]


def test_hostile_names_change_nothing_but_themselves(tmp_path: Path) -> None:
    places = [found(path, "kw1_" + "a" * 25 + letter) for path, letter in zip(HOSTILE, "abcdefghi")]
    for place in places:
        spec = ConsumerSpec("dotenv", {"path": place.path, "set": {place.path: "{secret}"}, "n": 1, "b": True, "l": ["x"]})
        kind = CredentialKind(place.kind, "Acme\n[evil]\x1b", manual=Manual(("step\n[evil]",), "x\ny"))
        text = made(place, spec=spec, kind=kind)
        operator = loaded(text, tmp_path)
        assert [entry.kind for _, entry in operator.entries()] == ["acme/key"] and list(operator.stores) == ["agefile"]
        assert not set(text) & set("\x1b\u202e\x85\u2028\x7f\udcff")
        (lane,) = operator.lanes.values()
        if "\udcff" not in place.path:
            assert lane.consumers[0].options == spec.options
        else:
            assert lane.consumers == () and "no consumer is known" in text
    assert len(loaded(made(*places), tmp_path).lanes) >= 6


def test_many_places_and_none(tmp_path: Path) -> None:
    text = made(*(found(f"d{n}/.env", role="echo") for n in range(9)), found("live/.env"), complete=False)
    operator = loaded(text, tmp_path)
    assert list(operator.lanes) == ["live"] and "and in 5 more places" in text and "not complete" in text
    assert "names no credential" in made() and loaded(made(), tmp_path).lanes == {}


@pytest.mark.parametrize("text", ["", 'a"b\\c', "\x00\x1f\x7f", "\u2028\U000e0001🔑", "é"])
def test_quoting(text: str) -> None:
    assert tomllib.loads(f"a = {quoted(text)}\n# {comment(text)}\n") == {"a": text}
    assert os.linesep not in comment("a\nb")
