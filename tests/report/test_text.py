"""The screen that a person sees."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from inline_snapshot import snapshot

from keyward.model.finding import Excluded, NotScanned, Signal, Stats
from keyward.report import ReportOptions, render
from keyward.report.words import size, tally, why


def screen(outcome: Any, options: ReportOptions) -> str:
    return "\n" + render("text", outcome, options)


def last(outcome: Any, options: ReportOptions) -> str:
    return screen(outcome, options).splitlines()[-1]


def test_mixed(make: SimpleNamespace, options: ReportOptions) -> None:
    assert screen(make.mixed(), options._replace(width=90)) == snapshot("""\

4 secrets in 13 places: 2 critical, 2 medium

CRITICAL AWS access key …Zk (40)
  at  deploy/prod.env:2:7 (live configuration)
  at  notes/setup.md:12:7 (an echo)
  at  logs/2026-01-01.log:41:7 (an echo)
  at  logs/2026-01-02.log:42:7 (an echo)
  at  logs/2026-01-03.log:43:7 (an echo)
      +4 more places
  why 90 % sure: it has the form of aws/access-key-id; secret found nearby
  who id AKIA-EXAMPLE, account 123456789012, lifetime long-lived
  fix 1. Create a second access key for the same IAM user. 2. Update what uses the old
      one. 3. Set the old key to Inactive, watch, then delete it.
      https://console.aws.amazon.com/iam/home#/security_credentials
  or  let keyward replace it: keyward rotate --leaked REPORT (of --format jsonl)
      fingerprint kw1_bbbbbbbbbbbbbbbb

CRITICAL GitHub personal access token (classic) ghp_…x7 (40)
  at  app/settings.py:31:7 (live configuration)
  at  backup.zip → old.tar → app/settings.py:3:7 (an echo)
  why 95 % sure: it has the form of github/pat-classic; its CRC32 holds
  fix 1. Create a new token. 2. Update what uses it. 3. Revoke the old one.
      https://github.com/settings/tokens
      fingerprint kw1_aaaaaaaaaaaaaaaa

MEDIUM Password (short value)
  at  tests/db.yml:5:7 (live configuration)
  why 65 % sure: it has the form of generic/password; name (db_password). But: it stands
      among tests
  fix Replace it where it was issued, then update what uses it.
      fingerprint kw1_cccccccccccccccc

MEDIUM Password (short value)
  at  tests/cache.yml:6:7 (live configuration)
  why 65 % sure: it has the form of generic/password; name (db_password). But: it stands
      among tests
  fix as for the Password above
      fingerprint kw1_dddddddddddddddd

Not a secret? Write `keyward:allow <reason>` on its line, or accept all that is there now
with `keyward baseline create`. A real one stays leaked until it is replaced: removing the
line is not enough.

Looked at 120 files, 3.4 MB, in 0.8 s.
Allowed: 2 places (1 by keyward:allow, 1 by .keyward.baseline).
NOT scanned: 1
  - dump/huge.sql: larger than 2 GB
Opaque, encrypted or packed: 1
  - home/.mozilla/logins.json: encrypted by Firefox
Excluded: 2 paths (2 by keyward.toml: vendor/**).
Less sure: 3 secrets not shown to the persona regular; --persona auditor shows them.
Baseline: 1 entry found nowhere any more (kw1_ffffffffffffffff).
Note: hyperscan is not installed: the portable engine was used

4 secrets found, and 1 thing could not be looked at.
""")


def test_clean(make: SimpleNamespace, options: ReportOptions) -> None:
    assert screen(make.outcome(), options) == snapshot("""\

Looked at 120 files, 3.4 MB, in 0.8 s.

Clean: nothing found in the 120 files looked at.
""")


def test_incomplete(make: SimpleNamespace, options: ReportOptions) -> None:
    missed = tuple(NotScanned(f"dump/{n}.sql", "permission denied") for n in range(12))
    assert screen(make.outcome(not_scanned=missed), options) == snapshot("""\

Looked at 120 files, 3.4 MB, in 0.8 s.
NOT scanned: 12
  - dump/0.sql: permission denied
  - dump/1.sql: permission denied
  - dump/2.sql: permission denied
  - dump/3.sql: permission denied
  - dump/4.sql: permission denied
  - dump/5.sql: permission denied
  - dump/6.sql: permission denied
  - dump/7.sql: permission denied
  - dump/8.sql: permission denied
  - dump/9.sql: permission denied
  +2 more

Not clean: nothing found in what was read, but 12 things could not be looked at.
""")


def test_hostile(make: SimpleNamespace, options: ReportOptions) -> None:
    assert screen(make.hostile("x\x1b[2K\r\n::add-mask::\u202ey\udcff"), options._replace(width=90)) == snapshot("""\

1 secret in 2 places: 1 critical

CRITICAL GitHub personal access token (classic) x\\x1b[2K\\x0d\\x0a:\\x3aadd-mask:\\x3a\\u202ey\\xff
  LIVE x\\x1b[2K\\x0d\\x0a:\\x3aadd-mask:\\x3a\\u202ey\\xff; may x\\x1b[2K\\x0d\\x0a:\\x3aadd-mask:\\x3a\\u202ey\\xff; x\\x1b[2K\\x0d\\x0a:\\x3aadd-mask:\\x3a\\u202ey\\xff said x\\x1b[2K\\x0d\\x0a:\\x3aadd-mask:\\x3a\\u202ey\\xff
  at  x\\x1b[2K\\x0d\\x0a:\\x3aadd-mask:\\x3a\\u202ey\\xff:1:7 (live configuration)
  at  a.zip → x\\x1b[2K\\x0d\\x0a:\\x3aadd-mask:\\x3a\\u202ey\\xff → b:2:7 (x\\x1b[2K\\x0d\\x0a:\\x3aadd-mask:\\x3a\\u202ey\\xff, commit x\\x1b[2K\\x0d\\x0a:\\x3aa by x\\x1b[2K\\x0d\\x0a:\\x3aadd-mask:\\x3a\\u202ey\\xff, no longer in HEAD, live configuration)
  why 75 % sure: it has the form of x\\x1b[2K\\x0d\\x0a:\\x3aadd-mask:\\x3a\\u202ey\\xff;
      x\\x1b[2K\\x0d\\x0a:\\x3aadd-mask:\\x3a\\u202ey\\xff …
  who id x\\x1b[2K\\x0d\\x0a:\\x3aadd-mask:\\x3a\\u202ey\\xff,
      x\\x1b[2K\\x0d\\x0a:\\x3aadd-mask:\\x3a\\u202ey\\xff …
  fix 1. Create a new token. 2. Update what uses it. 3. Revoke the old one.
      https://github.com/settings/tokens
      fingerprint kw1_aaaaaaaaaaaaaaaa

Not a secret? Write `keyward:allow <reason>` on its line, or accept all that is there now
with `keyward baseline create`. A real one stays leaked until it is replaced: removing the
line is not enough.

Looked at 120 files, 3.4 MB, in 0.8 s.
Allowed: 1 place (1 by x\\x1b[2K\\x0d\\x0a:\\x3aadd-mask:\\x3a\\u202ey\\xff).
NOT scanned: 1
  - x\\x1b[2K\\x0d\\x0a:\\x3aadd-mask:\\x3a\\u202ey\\xff: x\\x1b[2K\\x0d\\x0a:\\x3aadd-mask:\\x3a\\u202ey\\xff
Opaque, encrypted or packed: 1
  - x\\x1b[2K\\x0d\\x0a:\\x3aadd-mask:\\x3a\\u202ey\\xff: x\\x1b[2K\\x0d\\x0a:\\x3aadd-mask:\\x3a\\u202ey\\xff
Excluded: 1 path (1 by x\\x1b[2K\\x0d\\x0a:\\x3aadd-mask:\\x3a\\u202ey\\xff).
Baseline: 1 entry found nowhere any more (x\\x1b[2K\\x0d\\x0a:\\x3aadd-mask:\\x3a\\u202ey\\xff).
Note: x\\x1b[2K\\x0d\\x0a:\\x3aadd-mask:\\x3a\\u202ey\\xff

1 secret found, and 1 thing could not be looked at.
""")


def test_where_it_was_seen_and_what_the_provider_said(make: SimpleNamespace, options: ReportOptions) -> None:
    assert screen(make.traced(), options).split("Not a secret?")[0] == snapshot("""\

2 secrets in 5 places: 2 critical

CRITICAL GitHub personal access token (classic) ghp_…x7 (40)
  LIVE ann; may repo, workflow; api.github.com said 200
  at  old/.env:9:7 (commit cccccccccc by Ann, no longer in HEAD, live configuration)
  at  app.log:3:7 (an echo)
  at  state.sqlite → transcript_events s1#2:1:7 (message 12 (user), an echo)
  at  notes.md:2:7 (an echo)
  why 95 % sure: it has the form of github/pat-classic; its CRC32 holds
  fix 1. Create a new token. 2. Update what uses it. 3. Revoke the old one.
      https://github.com/settings/tokens
      fingerprint kw1_aaaaaaaaaaaaaaaa

CRITICAL GitHub personal access token (classic) ghp_…x7 (40)
  UNKNOWN the provider did not answer
  at  tests/db.yml:5:7 (live configuration)
  why 95 % sure: it has the form of github/pat-classic; its CRC32 holds
  fix as for the GitHub personal access token (classic) above
      fingerprint kw1_cccccccccccccccc

""")


def test_a_timeline(make: SimpleNamespace, options: ReportOptions) -> None:
    lines = [line for line in screen(make.traced(), options._replace(timeline=True)).splitlines() if " at " in line]
    assert lines == snapshot(
        [
            "  2025-06-15 15:06:40 commit       at  old/.env:9:7 (commit cccccccccc by Ann, no longer in HEAD, live configuration)",
            "  2025-08-12 12:00:00 message      at  state.sqlite → transcript_events s1#2:1:7 (message 12 (user), an echo)",
            "  2025-10-09 08:53:20 by then      at  app.log:3:7 (an echo)",
            "  ?                   unknown when at  notes.md:2:7 (an echo)",
            "  ?                   unknown when at  tests/db.yml:5:7 (live configuration)",
            "Looked at 120 files, 3.4 MB, in 0.8 s.",
        ]
    )


def test_color(make: SimpleNamespace, options: ReportOptions) -> None:
    outcome = make.mixed()
    plain, colored = render("text", outcome, options), render("text", outcome, options._replace(color=True))
    assert "\x1b" not in plain
    assert colored.splitlines()[2] == snapshot(
        "\x1b[1;97;41mCRITICAL\x1b[0m \x1b[1mAWS access key\x1b[0m \x1b[33m…Zk (40)\x1b[0m"
    )
    for code in ("1;97;41", "1;31", "1;33", *"12", "32", "33", "36", "0"):
        colored = colored.replace(f"\x1b[{code}m", "")
    assert colored == plain


def test_color_lets_nothing_else_through(make: SimpleNamespace, options: ReportOptions) -> None:
    colored = render("text", make.hostile("x\x1b[2Ky"), options._replace(color=True))
    assert "\x1b[2K" not in colored
    assert "x\\x1b[2Ky" in colored


def test_verdicts(make: SimpleNamespace, options: ReportOptions) -> None:
    opaque, missed = NotScanned("vault.kdbx", "encrypted", opaque=True), NotScanned("x", "permission denied")
    one = make.finding(make.occurrence())
    allowed = make.mixed().allowed
    strict = options._replace(strict=True)
    assert {
        "clean": last(make.outcome(), options),
        "one file": last(make.outcome(stats=Stats(1, 10, 0.0)), options),
        "no file": last(make.outcome(stats=Stats()), options),
        "allowed": last(make.outcome(allowed=allowed), options),
        "opaque": last(make.outcome(not_scanned=(opaque,)), options),
        "opaque, strict": last(make.outcome(not_scanned=(opaque,)), strict),
        "missed": last(make.outcome(not_scanned=(missed, opaque)), options),
        "found": last(make.outcome(one), options),
        "found and missed": last(make.outcome(one, not_scanned=(missed,)), options),
    } == snapshot(
        {
            "clean": "Clean: nothing found in the 120 files looked at.",
            "one file": "Clean: nothing found in the file looked at.",
            "no file": "Nothing to look at: no file was read.",
            "allowed": "Clean: nothing new found in the 120 files looked at.",
            "opaque": "Clean: nothing found in the 120 files looked at, 1 opaque store aside.",
            "opaque, strict": "Not clean: nothing found in what was read, but 1 thing could not be looked at.",
            "missed": "Not clean: nothing found in what was read, but 1 thing could not be looked at.",
            "found": "1 secret found.",
            "found and missed": "1 secret found, and 1 thing could not be looked at.",
        }
    )


@pytest.mark.parametrize("width", [1, 40, 80, 200])
def test_running_text_keeps_to_the_width(width: int, make: SimpleNamespace, options: ReportOptions) -> None:
    lines = render("text", make.mixed(), options._replace(width=width)).splitlines()
    for line in lines:
        if line.startswith(("  why", "  fix", "  who")) and not line.endswith("…"):
            assert len(line) <= max(40, width)


def test_the_first_screen_names_the_worst(make: SimpleNamespace, options: ReportOptions) -> None:
    """Findings keep the order of the outcome; places that are live come before echoes."""
    text = render("text", make.mixed(), options)
    assert text.index("AWS") < text.index("GitHub") < text.index("Password")
    assert text.index("deploy/prod.env") < text.index("notes/setup.md")
    assert len(text.split("\n\n")[1].splitlines()) < 16


def test_long_names_are_cut(make: SimpleNamespace, options: ReportOptions) -> None:
    path = "d" * 3000 + "/name.env"
    text = render("text", make.outcome(make.finding(make.occurrence(path)), excluded=(Excluded(path, path),)), options)
    assert max(len(line) for line in text.splitlines()) < 330
    assert "/name.env:3:7 (live configuration)" in text


def test_why() -> None:
    signals = (Signal("pattern", 70, "x/y"), Signal("template file", -15), Signal("entropy", 5, "4.2 bits"), Signal("noted", 0))
    assert why(signals) == ("it has the form of x/y; entropy (4.2 bits)", "it stands in a template")


def test_words() -> None:
    assert [size(n) for n in (0, 1, 999, 1000, 999_949, 999_950, 3_400_000, 10**15)] == snapshot(
        ["0 bytes", "1 byte", "999 bytes", "1.0 kB", "999.9 kB", "1.0 MB", "3.4 MB", "1000.0 TB"]
    )
    assert tally(["b", "a", "a", "c"]) == [("a", 2), ("b", 1), ("c", 1)]
