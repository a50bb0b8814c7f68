"""Outcomes made by hand. Nothing here looks like a real secret: reports never hold one."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from keyward.model.finding import (
    UNKNOWN_PROVENANCE,
    Allowance,
    Excluded,
    Finding,
    Locator,
    NotScanned,
    Occurrence,
    Outcome,
    Provenance,
    Signal,
    Stats,
)
from keyward.model.kind import CredentialKind, Kind, Manual
from keyward.model.verdict import Evidence, Live, Unknown
from keyward.report import ReportOptions

HERE = Path(__file__).parent

KINDS = {
    "aws/access-key": CredentialKind(
        Kind("aws/access-key"),
        "AWS access key",
        "critical",
        manual=Manual(
            (
                "Create a second access key for the same IAM user.",
                "Update what uses the old one.",
                "Set the old key to Inactive, watch, then delete it.",
            ),
            "https://console.aws.amazon.com/iam/home#/security_credentials",
        ),
        references=("https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html",),
        rotates=True,
    ),
    "github/pat-classic": CredentialKind(
        Kind("github/pat-classic"),
        "GitHub personal access token (classic)",
        "critical",
        manual=Manual(
            ("Create a new token.", "Update what uses it.", "Revoke the old one."), "https://github.com/settings/tokens"
        ),
    ),
    "generic/password": CredentialKind(Kind("generic/password"), "Password", "medium"),
}

CHECKED = (Signal("pattern", 75, "github/pat-classic"), Signal("checksum", 20, "CRC32 holds"))
PAIRED = (Signal("pattern", 80, "aws/access-key-id"), Signal("partner", 10, "secret found nearby"))
GUESSED = (Signal("pattern", 60, "generic/password"), Signal("name", 15, "db_password"), Signal("test path", -10))

HOSTILE = {
    "erase": "a\x1b[2K\rclean.txt",
    "command": "a\n::add-mask::everything",
    "command_at_start": "::stop-commands::x",
    "old_command": "a ##[add-mask]everything ##vso[task.complete]done ##teamcity[x]",
    "bidi": "gpj.\u202eexe\u2066.py",
    "invisible": "a\u200b\ufeff\u2060\u3164b",
    "not_utf8": "caf\udce9/\udcff.env",
    "lone_surrogate": "a\ud800b",
    "cdata": "]]>&<!--'\"",
    "script": "</script><script>alert(1)</script>",
    "markdown": "[click](https://evil.example) `x` **b** | @all",
    "c1": "a\x9b2K\x85b\x7f",
    "sarif": "{0} [a](1)",
}
"""Names that files can have, each aimed at some reader of reports."""


def kind_of(kind: Kind) -> CredentialKind:
    return KINDS[kind]


def occurrence(
    path: str = "config/prod.env",
    line: int = 3,
    *,
    fingerprint: str = "kw1_aaaaaaaaaaaaaaaa",
    kind: str = "github/pat-classic",
    rule: str = "",
    signals: tuple[Signal, ...] = CHECKED,
    masked: str = "ghp_…x7 (40)",
    container: tuple[str, ...] = (),
    role: str = "live-config",
    public_id: str = "",
    facts: tuple[tuple[str, str], ...] = (),
    allowance: Allowance | None = None,
    column: int = 7,
    provenance: Provenance = UNKNOWN_PROVENANCE,
) -> Occurrence:
    return Occurrence(
        fingerprint=fingerprint,
        rule=rule or kind,
        kind=Kind(kind),
        severity=KINDS[kind].severity,
        locator=Locator("tree", path, 100 * line, 100 * line + 40, container=container),
        line=line,
        column=column,
        end_line=line,
        masked=masked,
        confidence=max(0, min(100, sum(signal.weight for signal in signals))),
        signals=signals,
        parts=("secret",),
        public_id=public_id,
        facts=facts,
        role=role,
        allowance=allowance,
        provenance=provenance,
    )


def finding(*occurrences: Occurrence) -> Finding:
    first = occurrences[0]
    return Finding(
        first.fingerprint,
        first.kind,
        first.rule,
        first.severity,
        first.confidence,
        first.masked,
        first.public_id,
        first.facts,
        first.signals,
        occurrences,
    )


def outcome(*findings: Finding, **changes: Any) -> Outcome:
    base = Outcome(findings, (), (), (), Stats(120, 3_400_000, 0.84), "c2FsdHNhbHQ")
    return base._replace(**changes)


def mixed() -> Outcome:
    """A bit of everything."""
    account = (("account", "123456789012"), ("lifetime", "long-lived"))
    aws: dict[str, Any] = {
        "kind": "aws/access-key",
        "rule": "aws/access-key-id",
        "signals": PAIRED,
        "fingerprint": "kw1_bbbbbbbbbbbbbbbb",
        "masked": "…Zk (40)",
        "public_id": "AKIA-EXAMPLE",
        "facts": account,
    }
    guess: dict[str, Any] = {"kind": "generic/password", "signals": GUESSED, "masked": "(short value)"}
    return outcome(
        finding(
            occurrence("notes/setup.md", 12, role="echo", **aws),
            occurrence("deploy/prod.env", 2, **aws),
            *(occurrence(f"logs/2026-01-{day:02d}.log", 40 + day, role="echo", **aws) for day in range(1, 8)),
        ),
        finding(
            occurrence("app/settings.py", 31),
            occurrence("backup.zip", 3, container=("old.tar", "app/settings.py"), role="echo"),
        ),
        finding(occurrence("tests/db.yml", 5, fingerprint="kw1_cccccccccccccccc", **guess)),
        finding(occurrence("tests/cache.yml", 6, fingerprint="kw1_dddddddddddddddd", **guess)),
        allowed=(
            occurrence("docs/api.md", 4, allowance=Allowance("keyward:allow", "a sample that was revoked")),
            occurrence("docs/api.md", 9, fingerprint="kw1_eeeeeeeeeeeeeeee", allowance=Allowance(".keyward.baseline")),
        ),
        not_scanned=(
            NotScanned("dump/huge.sql", "larger than 2 GB"),
            NotScanned("home/.mozilla/logins.json", "encrypted by Firefox", opaque=True),
        ),
        excluded=(Excluded("vendor/x.js", "keyward.toml: vendor/**"), Excluded("vendor/y.js", "keyward.toml: vendor/**")),
        below_persona=3,
        stale_baseline=("kw1_ffffffffffffffff",),
        notes=("hyperscan is not installed: the portable engine was used",),
    )


def traced() -> Outcome:
    """One live secret whose way through history, an agent's database and a log is known, and one that nobody could ask about."""
    commit = Provenance(since=1_750_000_000, since_from="commit", commit="c" * 40, author="Ann", in_head=False)
    message = Provenance("agents/openclaw", "message 12 (user)", 1_755_000_000.5, "message")
    changed = Provenance("logs/files", since=1_760_000_000, since_from="mtime")
    live = Live(Evidence("GET /user", "api.github.com", "200", 1_760_000_100.0, "", "d1"), "ann", ("repo", "workflow"))
    first = finding(
        occurrence("app.log", 3, role="echo", provenance=changed),
        occurrence("state.sqlite", 1, container=("transcript_events s1#2",), role="echo", provenance=message),
        occurrence("old/.env", 9, provenance=commit),
        occurrence("notes.md", 2, role="echo"),
    )
    second = finding(occurrence("tests/db.yml", 5, fingerprint="kw1_cccccccccccccccc"))
    return outcome(first._replace(verdict=live), second._replace(verdict=Unknown("the provider did not answer", 30.0)))


def hostile(text: str) -> Outcome:
    """An outcome with the text in every place that something from outside can reach."""
    signals = (Signal("pattern", 70, text), Signal(text, 10, text), Signal("alone", -5, text))
    seen = Provenance(text, text, 1.0, "commit", text, text, False)
    evidence = Evidence(text, text, text, 1.0, text, text)
    marked: dict[str, Any] = {"signals": signals, "masked": text, "public_id": text, "facts": ((text, text),), "rule": text}
    return outcome(
        finding(
            occurrence(text, 1, **marked), occurrence("a.zip", 2, container=(text, "b"), provenance=seen, **marked)
        )._replace(verdict=Live(evidence, text, (text,))),
        allowed=(occurrence(text, 3, allowance=Allowance(text, text), **marked),),
        not_scanned=(NotScanned(text, text), NotScanned(text, text, opaque=True)),
        excluded=(Excluded(text, text),),
        stale_baseline=(text,),
        notes=(text,),
        salt=text,
    )


def hostile_kind(text: str) -> CredentialKind:
    """A kind as a scanned repository's own rules may bring it."""
    return CredentialKind(
        Kind("user/x"), text, "high", manual=Manual((text, text), text), references=(text, "https://ok.example/a")
    )


@pytest.fixture
def options() -> ReportOptions:
    return ReportOptions(kind_of, finished_at=1_767_225_600.0)


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    return SimpleNamespace(
        occurrence=occurrence,
        finding=finding,
        outcome=outcome,
        mixed=mixed,
        traced=traced,
        hostile=hostile,
        hostile_kind=hostile_kind,
        kind_of=kind_of,
        names=HOSTILE,
    )


@pytest.fixture(scope="session")
def own_schema() -> Any:
    return json.loads((HERE.parents[1] / "keyward/report/schema/keyward-report-1.json").read_text("utf-8"))


@pytest.fixture(scope="session")
def vendored() -> Any:
    """Reads one of the schemas beside the tests."""
    return lambda name: json.loads((HERE / "schemas" / name).read_text("utf-8"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "hostile_name" in metafunc.fixturenames:
        metafunc.parametrize("hostile_name", list(HOSTILE))
