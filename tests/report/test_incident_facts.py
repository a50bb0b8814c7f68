"""What a case comes to: words, durations, where a secret stands, and the axis of the pictures."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, os.path.dirname(__file__))
from incident_cases import DAY, HOUR, MINUTE, OPENED, full, over

from keyward.model import incident as model
from keyward.model.incident import CredentialState, Incident, LaneState, Leak
from keyward.report import incident_facts as facts
from keyward.report.incident_axis import LATEST, TICKS, Axis, axis

LEAK = Leak("kw1_x", "aws/access-key", "high", "…Zk (40)", ref="bot/aws")


def case(leak: Leak, state: str = "", **changes: object) -> Incident:
    """One leak and the credential of a lane that it is."""
    held = CredentialState("bot/aws", "aws/access-key", True, state, "DONE", OPENED + HOUR)
    return Incident("x", opened=OPENED, leaks=(leak,), lanes=(LaneState("bot", 1, "", model.BURNT, (held,)),))._replace(
        **changes
    )


@pytest.mark.parametrize(
    ("verdict", "after", "state", "tone", "words"),
    [
        ("live", "", "", facts.BAD, "not replaced"),
        ("live", "dead", "", facts.GOOD, "dead: its provider refuses it"),
        ("live", "live", "proved", facts.BAD, "still live"),  # a rotation that says otherwise is not believed
        ("live", "restricted", "proved", facts.BAD, "still live, restricted"),
        ("live", "", "proved", facts.GOOD, "replaced, proved"),
        ("unknown", "unknown", "proved by consumer", facts.GOOD, "replaced, proved by its consumers"),
        ("live", "", "attested", facts.WARN, "replaced, not proved"),
        ("live", "", "waits for a person", facts.BAD, "waits for a person"),
        ("live", "unknown", "stopped", facts.BAD, "its replacement stopped"),
        ("live", "", "something new", facts.WARN, "something new"),
        ("dead", "", "", facts.GOOD, "was dead already"),
        ("unknown", "", "", facts.BAD, "not replaced"),
    ],
)
def test_where_a_secret_stands(verdict: str, after: str, state: str, tone: str, words: str) -> None:
    leak = LEAK._replace(verdict=verdict, verdict_after=after)
    assert facts.standing(leak, facts.states(case(leak, state))) == (tone, words)


def test_a_leak_in_no_lane_is_not_replaced() -> None:
    assert facts.standing(LEAK._replace(ref=""), {}).words == "not replaced: it is in no lane"


def test_only_a_proof_ends_an_exposure() -> None:
    for state, end in (("proved", OPENED + HOUR), ("attested", 0.0), ("waits for a person", 0.0)):
        incident = case(LEAK, state, rotated=OPENED + 2 * HOUR)
        assert facts.ended(LEAK, incident, facts.states(incident)) == end


def test_the_most_urgent_comes_first() -> None:
    assert [leak.fingerprint for leak in facts.in_order(full())] == ["kw1_cccc", "kw1_eeee", "kw1_dddd", "kw1_bbbb", "kw1_aaaa"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"), (-3, "0 s"), (59.4, "59 s"), (60, "1 min"), (3599, "1 h"), (2 * HOUR + 5 * MINUTE, "2 h 5 min"), (47 * HOUR, "47 h"),
        (3 * DAY + 4 * HOUR, "3 d 4 h"), (13 * DAY, "13 d"), (2412 * DAY, "2,412 days"),
    ],
)  # fmt: skip
def test_durations_in_words(seconds: float, words: str) -> None:
    assert facts.span(seconds) == words


def test_dates_do_not_depend_on_a_locale_and_never_raise() -> None:
    assert facts.date(OPENED) == "22 Nov 2026, 03:04 UTC"
    assert facts.date(OPENED, time=False) == "22 Nov 2026"
    assert [facts.date(odd) for odd in (0.0, 1e300, float("inf"), float("nan"))] == ["", "", "", ""]


def test_times_to_contain_to_rotate_and_to_recover() -> None:
    taken = {each.name: each.seconds for each in facts.durations(over())}
    assert taken == {"exposed": 61 * DAY + 21 * MINUTE, "contain": 40, "rotate": 21 * MINUTE, "recover": 30 * MINUTE}
    open_case = {each.name: each.seconds for each in facts.durations(full())}
    assert open_case == {"exposed": None, "contain": 8 * MINUTE, "rotate": None, "recover": None}


def test_before_and_after() -> None:
    assert {each.name: (each.before, each.now) for each in facts.changes(full())} == {
        "live": (4, 2), "unproved": (5, 3), "places": (21, 1), "lanes": (3, 2),
    }  # fmt: skip
    unseen = case(LEAK._replace(before=4))
    assert {each.name: each.now for each in facts.changes(unseen)}["places"] is None


def test_the_story_in_brief() -> None:
    told = " ".join(facts.brief(full()))
    assert "5 credentials leaked, in 21 places. 4 of them were known to work" in told
    assert "2 are proved dead or replaced, 1 was replaced without a proof, 2 are not replaced" in told
    assert "3 of 4 lanes are hit: bot, ops, reports." in told
    assert "2 places could not be looked at" in told
    assert "People must still do 2 things" in told
    assert "Nothing is left for people to do." in " ".join(facts.brief(over()))


@pytest.mark.parametrize(
    ("changes", "tone", "words"),
    [
        ({}, facts.BAD, "Open, not contained"),
        ({"contained": 1.0}, facts.WARN, "Contained, credentials not all replaced"),
        ({"rotated": 1.0}, facts.WARN, "Credentials replaced, not recovered"),
        ({"recovered": 1.0}, facts.WARN, "Recovered, not closed"),
        ({"closed": 1.0}, facts.GOOD, "Closed, nothing is left"),
        ({"closed": 1.0, "left": ("x",)}, facts.WARN, "Closed with 1 open point"),
    ],
)
def test_how_it_stands(changes: dict[str, object], tone: str, words: str) -> None:
    assert facts.status(Incident("x", opened=1.0)._replace(**changes)) == (tone, words)


def test_every_state_of_the_model_has_words() -> None:
    assert set(facts.LANES) == {model.SAFE, model.BURNT, model.REPLACED, model.STUCK}
    assert set(facts.ENDED) == {model.DONE, model.FAILED, model.SKIPPED, model.UNCERTAIN}
    assert set(facts.SAID) == {model.LIVE, model.RESTRICTED, model.DEAD, model.UNKNOWN, model.NOT_ASKED}
    assert set(facts.PHASE_TITLES) == set(model.PHASES)


@given(start=st.floats(1, LATEST), length=st.floats(0.001, 4e11))
def test_an_axis_has_few_ticks_in_order(start: float, length: float) -> None:
    end = min(LATEST, start + length)
    ticks = Axis(start, end).ticks()
    assert len(ticks) <= TICKS
    assert [tick.at for tick in ticks] == sorted({tick.at for tick in ticks})
    assert all(0 <= tick.at <= 100 for tick in ticks)


def test_the_ticks_are_round() -> None:
    days = Axis(OPENED - 20 * DAY, OPENED).ticks()
    assert [tick.label for tick in days] == ["5 Nov", "12 Nov", "19 Nov"]
    assert [tick.label for tick in Axis(OPENED - 214 * DAY, OPENED).ticks()] == ["Jul 2026", "Oct 2026"]
    assert [tick.label for tick in Axis(OPENED, OPENED + 25).ticks()] == ["03:04:10", "03:04:20", "03:04:30"]
    assert [tick.label for tick in Axis(OPENED - 4 * HOUR, OPENED).ticks()] == ["22 Nov 00:00", "22 Nov 02:00"]


def test_an_axis_leaves_out_what_no_calendar_has() -> None:
    assert axis([0.0, -5.0, 1e300, float("nan")]) is None
    scale = axis([OPENED, 1e300, OPENED + 100])
    assert scale is not None
    assert scale.end < OPENED + 200
    assert scale.at(OPENED - 1e9) == 0
    assert scale.at(1e300) == 100
