"""The report of an incident as a page: what stands in it, without a browser. `test_incident_chromium.py` looks at it with one."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, os.path.dirname(__file__))
from incident_cases import HOSTILE, MADE, full, hostile, large, over, title_of

from keyward.model.incident import Incident
from keyward.report.incident import IncidentOptions, render_incident

OPTIONS = IncidentOptions(MADE, title_of, "1.2.3")
ANY = st.text(st.characters(codec=None, exclude_categories=()), max_size=40)
VOID = {"meta", "link", "br"}


class Seen(HTMLParser):
    """The elements and attributes of a page, and whether each element that begins also ends."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def values(self, name: str) -> list[str]:
        """What an attribute is, wherever it stands."""
        return [value for _, attribute, value in self.attributes if attribute == name]

    @property
    def prose(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.text))


def page(incident: Incident) -> str:
    return render_incident("html", incident, OPTIONS)


def test_it_tells_what_a_board_asks() -> None:
    prose = Seen(page(full())).prose
    for piece in (
        "Contained, credentials not all replaced", "Time to contain 8 min", "Time to rotate not done", "5 credentials leaked, in 21 places.",
        "GitHub personal access token (classic)", "replaced, not proved", "in no lane", "Open a chat with @BotFather.", "keyward provide bot/telegram",
        "/home/you/bot/.env", "message 12 (user)", "SSH from 203.0.113.7 only", "evidence/var-log-bot.tar.age", "a usual way to stay",
        "snap-nightly-1121", "The notes of this case are as they were written", "encrypted by Firefox", "The bucket is private again.",
    ):  # fmt: skip
        assert piece in prose, piece


def test_an_incident_that_is_over_asks_for_nothing() -> None:
    prose = Seen(page(over())).prose
    assert "Closed, nothing is left" in prose
    assert "Time to rotate 21 min" in prose
    assert "What people must still do Nothing" in prose


def test_changed_notes_are_told_at_the_top() -> None:
    prose = Seen(page(full()._replace(chain=False, chain_problems=("line 3 was changed",)))).prose
    assert prose.index("were changed after they were written") < prose.index("Open a chat")
    assert "line 3 was changed" in prose


def test_an_empty_case_has_a_report() -> None:
    prose = Seen(page(Incident("nothing yet"))).prose
    assert "Open, not contained" in prose
    assert "found no leaked credential" in prose
    assert "No record of the host's good state was prepared" in prose


@pytest.mark.parametrize("incident", [full(), over(), large(100), Incident("x")], ids=["full", "over", "large", "empty"])
def test_it_needs_nothing_else_and_runs_nothing(incident: Incident) -> None:
    seen = Seen(page(incident))
    assert not {"script", "img", "iframe", "object", "embed", "form", "input", "base", "video", "audio"} & set(seen.tags)
    assert [tag for tag, name, _ in seen.attributes if name.startswith("on") or name in ("src", "srcset", "style")] == []
    assert seen.tags.count("link") == 1
    assert all(value.startswith(("#", "https://", "data:image/svg+xml,")) for value in seen.values("href"))
    policy = [value for value in seen.values("content") if "default-src" in value]
    assert len(policy) == 1
    assert policy[0].startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")
    assert "script-src" not in policy[0]
    style = page(incident).partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style


@pytest.mark.parametrize("incident", [full(), large(100)], ids=["full", "large"])
def test_what_is_referred_to_is_there_once(incident: Incident) -> None:
    seen = Seen(page(incident))
    ids = seen.values("id")
    assert len(ids) == len(set(ids))
    wanted = {value[1:] for value in seen.values("href") if value.startswith("#")}
    wanted |= {name for value in seen.values("aria-labelledby") for name in value.split()}
    wanted |= {value[5:-1] for value in seen.values("fill") if value.startswith("url(")}
    assert wanted <= set(ids)


def test_pictures_have_names_and_signs_beside_colours() -> None:
    text = page(full())
    labels = re.findall(r'role="img" aria-label="([^"]+)"', text)
    assert "From 24 Aug 2026, 03:04 UTC still open after 90 d 3 h: still live" not in labels  # days alone, above two weeks
    assert "From 24 Aug 2026, 03:04 UTC still open after 90 days: still live" in labels
    assert "Replace: from 22 Nov 2026, 03:24 UTC, not finished; 4 actions, 1 failed" in labels
    assert "Tier 1, lane bot, hit, stuck: 1 replaced, proved, 1 waits for a person, 1 not leaked" in labels
    assert text.count('role="img"') == len(labels) == 4 + 5 + 4
    badges = re.findall(r'<span class="badge \w+">(.*?)</span>', text)
    assert badges
    assert all("<use href" in each and re.sub(r"<[^>]+>", "", each).strip() for each in badges)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_becomes_markup(name: str) -> None:
    plain, odd = Seen(page(hostile("p" * 30))), Seen(page(hostile(HOSTILE[name])))
    wrapping = {"bdi", "br", "p"}  # a note has a paragraph a line
    assert [tag for tag in odd.tags if tag not in wrapping] == [tag for tag in plain.tags if tag not in wrapping]
    assert {name for _, name, _ in odd.attributes} <= {name for _, name, _ in plain.attributes}
    assert not [value for value in odd.values("href") if "owned" in value or "evil" in value]


@settings(deadline=None, max_examples=40)
@given(text=ANY)
def test_whatever_a_name_is(text: str) -> None:
    seen = Seen(page(hostile(text)))
    assert not {"script", "img", "iframe"} & set(seen.tags)
    assert not [name for _, name, _ in seen.attributes if name.startswith("on")]


def test_a_long_name_keeps_its_beginning_and_its_end() -> None:
    prose = Seen(page(hostile("a" * 5000 + "z" * 5000))).prose
    assert re.search(r"a{210} … z{90} \(10,000 characters\)", prose)
    assert "a" * 301 not in prose


def test_only_plain_addresses_can_be_followed() -> None:
    odd = hostile("javascript:alert(1)")
    assert not [value for value in Seen(page(odd)).values("href") if not value.startswith(("#", "data:image/svg"))]
    seen = Seen(page(full()))
    assert "https://t.me/BotFather" in seen.values("href")
    assert seen.values("rel").count("noreferrer noopener") == 2


@pytest.mark.parametrize("moment", [-1.0, 1e300, float("inf"), float("nan"), 253402300800.0])
def test_times_that_no_calendar_has(moment: float) -> None:
    incident = full()
    leak = incident.leaks[0]._replace(since=moment)
    action = incident.actions[0]._replace(time=moment, ended=moment)
    step = incident.steps[0]._replace(started=moment, ended=moment)
    odd = incident._replace(leaks=(leak,), actions=(action,), steps=(step,), opened=moment, contained=moment, begun=moment)
    text = page(odd)
    Seen(text)
    assert "nan%" not in text
    assert "inf%" not in text
    render_incident("markdown", odd, OPTIONS)
    written = json.loads(render_incident("json", odd, OPTIONS), parse_constant=pytest.fail)
    assert written["times"]["opened"] == "" or moment in (-1.0, 253402300800.0)


def test_two_thousand_leaks_are_written_at_once() -> None:
    incident = large()
    for form in ("html", "markdown", "json"):
        start = time.process_time()
        text = render_incident(form, incident, OPTIONS)
        assert time.process_time() - start < 2, form
        assert len(text) < 12_000_000
        assert form != "html" or "1,950 more credentials" in text
