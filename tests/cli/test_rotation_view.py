"""What rotations look like on a screen, whole."""

from __future__ import annotations

import contextlib
import io
import os
import threading

from inline_snapshot import snapshot

from keyward.cli.rotation_view import LiveTable, age, show_result, show_standings
from keyward.flows.rotate import Result
from keyward.model.kind import Manual
from keyward.model.rotation import Attested, Proved, Stopped, WaitingHuman, Withheld
from keyward.model.verdict import Evidence
from keyward.rotate.ledger import Standing, State


def test_a_result_is_three_lists() -> None:
    proof = Evidence("GET /me", "api.example", "200", 0.0)
    manual = Manual(("Make a new key.", "Delete the old one."), "https://example.com/keys")
    result = Result(
        (
            Proved("r1", "shop/aws", (proof,)),
            Attested("r2", "shop/hook", "the operator", "no provider can be asked about this kind"),
            Proved("r3", "bot/key", (proof,), (Withheld("dotenv /srv/bot/.env", "agent-7"),)),
            WaitingHuman("r4", "shop/claude", "ISSUE", manual),
            Stopped("r5", "shop/db", "PROVE", "the new one does not work", "The old one is untouched."),
            Stopped("", "shop/x", "PLAN", "the store is sealed\x1b[31m", changed=False),
        )
    )
    assert show_result(result) == snapshot("""\
Done:
  shop/aws: proved; the new one is accepted and the old one refused by api.example
  shop/hook: attested, not proved (no provider can be asked about this kind)
  bot/key: proved; the new one is accepted and the old one refused by api.example
  bot/key: dotenv /srv/bot/.env was not given it: agent-7 is compromised; then: keyward distribute bot/key
Needs you:
  1. shop/claude
     a) Make a new key.
     b) Delete the old one.
     https://example.com/keys
     then: keyward provide shop/claude
Not done:
  shop/db: at PROVE: the new one does not work
     The old one is untouched.
     Go on with: keyward resume r5
  shop/x: at PLAN: the store is sealed\\x1b[31m. Nothing was changed.\
""")


def test_standings_are_a_table() -> None:
    rows = [
        Standing("r20261122-031500-aaaaaa", "shop/aws", State.DONE, "DONE", "planned", 0.0, 100.0, "dead"),
        Standing("r20261122-031501-bbbbbb", "shop/db", State.UNFINISHED, "PROVE", "planned", 0.0, 40.0),
    ]
    assert show_standings(rows, 160.0) == snapshot("""\
rotation                 credential  state        at     last seen
r20261122-031500-aaaaaa  shop/aws    done (dead)  DONE   1 min ago
r20261122-031501-bbbbbb  shop/db     unfinished   PROVE  2 min ago\
""")


def test_elsewhere_than_on_a_terminal_each_step_is_a_line() -> None:
    out = io.StringIO()
    with LiveTable(["a/x", "b/y"], stream=out, live=False) as tell:
        tell("a/x", "ISSUE", "")
        tell("b/y", "DRAIN", "60 s\x1b]0;evil\x07")
    assert out.getvalue() == snapshot("""\
a/x: ISSUE
b/y: DRAIN (60 s\\x1b]0;evil\\x07)
""")


def test_on_a_terminal_it_is_drawn_in_place() -> None:
    ours, theirs = os.openpty()
    shown: list[bytes] = []

    def read() -> None:  # all of it: one read of a terminal gives what fits into its buffer
        with contextlib.suppress(OSError):  # its end, on Linux
            while data := os.read(ours, 1 << 16):
                shown.append(data)

    reader = threading.Thread(target=read)
    reader.start()
    with os.fdopen(theirs, "w") as stream:
        with LiveTable([f"lane{n}/key" for n in range(60)], stream=stream) as tell:
            tell("lane3/key", "PROVE", "\x1b[31mred")
        stream.flush()
    reader.join(60)
    os.close(ours)
    text = b"".join(shown).decode()
    assert "lane3/key" in text and "PROVE" in text and "more" in text
    assert "\x1b[31mred" not in text and "\\x1b[31mred" in text


def test_spans_are_said_as_a_person_says_them() -> None:
    assert [age(seconds) for seconds in (0.2, 59, 61, 3700, 90_000 * 3)] == snapshot(["0 s", "59 s", "1 min", "1 h", "3 d"])
