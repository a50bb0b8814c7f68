"""The page for the night: made from the lanes, offline, without a value, and inert whatever the configuration says."""

from __future__ import annotations

import html.parser
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from rotation_home import CONFIG, Home
from rotation_home import home as make_home

MORE = """
[[lanes.bot.credentials]]
name = "claude"
kind = "anthropic/api-key"

[lanes.lab]
tier = 3

[[lanes.lab.credentials]]
name = "cloud"
kind = "tencent/access-key"
admin = { id = "env:TC_ID", secret = "env:TC_SECRET" }

[[lanes.lab.consumers]]
type = "dotenv"
path = "~/lab/.env"
host = "lab-1"

[incident]
ssh_from = ["203.0.113.7/32"]
triggers = ["the bill doubles | <b>tonight</b>"]
last_drill = 2026-01-01

[[incident.contacts]]
name = "Ana <script>alert(1)</script>"
role = "on call"
reach = "+34 900 000 000"

[[incident.pause]]
name = "agents"
run = ["true"]
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with make_home(tmp_path / "home") as made:
        made.config.write_text(CONFIG.format(home=made.folder, url=made.fake.url) + MORE)
        yield made


class Page(html.parser.HTMLParser):
    """Which tags, addresses and text a page has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_it_says_who_what_and_in_which_order(home: Home) -> None:
    text = home.ok("playbook")
    for part in (
        "Ana",
        "+34 900 000 000",
        "the bill doubles",
        "pauses agents",
        "keyward incident open",
        "2026-01-01",
        "2026-04-01",
    ):
        assert part in text, part
    assert "A drill is due" in text
    order = [text.index(f"`{ref}`") for ref in ("bot/openrouter", "lab/cloud")]
    assert order == sorted(order), "tier 1 comes before tier 3"
    assert "bot/claude: no consumer is configured" not in text, "the lane's consumer uses it"
    assert "env:TC_ID" in text and "cam:CreateAccessKey" in text, "rights and references"
    assert re.search(r"By hand:\n  1\. ", text), "what has no API says what a person does"
    assert "https://" in text


def test_nobody_is_asked_and_no_value_stands_in_it(home: Home) -> None:
    before = len(home.fake.seen)
    for format in ("markdown", "html"):
        text = home.ok("playbook", "--format", format)
        assert home.old not in text and home.fake.management.value not in text
    assert len(home.fake.seen) == before
    assert not (home.folder / "store.age").exists(), "no store was opened"


def test_the_page_is_self_contained_and_inert(home: Home) -> None:
    home.ok("playbook", "-o", "playbook.html")
    text = (home.folder / "playbook.html").read_text()
    page = Page(text)
    assert not {"script", "img", "link", "iframe", "form", "b", "object"} & set(page.tags)
    assert "<script>alert(1)</script>" in page.text and "<b>tonight</b>" in page.text, "shown as it is written"
    assert all(link.startswith(("https://", "#")) for link in page.links)
    assert "default-src 'none'" in text and "url(" not in text and "@import" not in text
    assert page.tags.count("h1") == 1 and 'lang="en"' in text


def test_markdown_is_inert_too(home: Home) -> None:
    text = home.ok("playbook")
    assert "<script>" not in text and "<b>" not in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) == 1, "no cell ends a row early"


def test_an_empty_configuration_says_what_is_missing(home: Home) -> None:
    home.config.write_text("")
    text = home.ok("playbook")
    assert "no lane is configured" in text and "nobody is named" in text
    code, _, err = home.run("playbook", "--format", "pdf")
    assert code == 2 and "markdown, html" in err
