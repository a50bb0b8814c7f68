"""The report of an incident, looked at in a real Chromium: wide and narrow, light and dark, by keyboard, on paper, and with hostile names.

With KEYWARD_SCREENSHOTS=FOLDER the pictures are kept there, to be looked at by a person.
"""

from __future__ import annotations

import io
import os
import struct
import sys
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from chromium import Chromium, Page, find
from incident_cases import HOSTILE, MADE, full, hostile, large, over, title_of

from keyward.model.incident import Incident
from keyward.report.incident import IncidentOptions, render_incident

OPTIONS = IncidentOptions(MADE, title_of, "1.2.3")

CONTRAST = """
(() => {
  const parse = text => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
  const light = ([r, g, b]) => { const [x, y, z] = [r, g, b].map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * x + .7152 * y + .0722 * z; };
  const behind = element => { for (; element; element = element.parentElement) { const c = parse(getComputedStyle(element).backgroundColor);
    if (c[3]) return c; } return [255, 255, 255, 1]; };
  const poor = [];
  for (const element of document.querySelectorAll('body *')) {
    if (![...element.childNodes].some(node => node.nodeType === 3 && node.data.trim())) continue;
    const style = getComputedStyle(element), svg = element.namespaceURI.endsWith('svg');
    const [a, b] = [light(parse(svg ? style.fill : style.color)), light(behind(element))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) poor.push(element.tagName + ': ' + element.textContent.slice(0, 40));
  }
  return poor;
})()
"""
"""Every element with text of its own whose contrast is under what WCAG 2 asks of small text (AA)."""

LABELS_THAT_TOUCH = """
[...document.querySelectorAll('svg.ticks')].filter(svg => {
  const boxes = [...svg.querySelectorAll('text')].map(text => text.getBoundingClientRect()).sort((a, b) => a.left - b.left);
  return boxes.some((box, n) => n && boxes[n - 1].right + 4 > box.left);
}).length
"""

FOCUSED = """
(() => { const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
  return [e.tagName, e.getAttribute('href') || e.getAttribute('aria-label') || e.textContent.slice(0, 30),
    style.outlineStyle, box.width * box.height > 0 && box.left >= 0 && box.top < innerHeight && box.bottom > 0]; })()
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    program = find()
    if not program:
        if os.environ.get("CI"):
            pytest.fail("chromium is not installed (`make ci-deps`)")
        pytest.skip("chromium is not installed (`make ci-deps`)")
    with Chromium(program, tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture
def show(browser: Chromium, tmp_path: Path) -> Iterator[Any]:
    """Opens the report of a case in a tab."""
    opened: list[Page] = []

    def open_report(incident: Incident, width: int = 1280, **options: bool) -> Page:
        path = tmp_path / f"report-{len(opened)}.html"
        path.write_text(render_incident("html", incident, OPTIONS), encoding="utf-8")
        page = browser.open(path.as_uri(), width, **options)
        opened.append(page)
        return page

    yield open_report
    for page in opened:
        page.close()


def spread(png: bytes) -> tuple[int, int, int]:
    """Width, height and number of different bytes of a picture: one that shows nothing has next to none."""
    width, height = struct.unpack(">II", png[16:24])
    data, at = b"", 8
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        if kind == b"IDAT":
            data += png[at + 8 : at + 8 + length]
        at += length + 12
    return width, height, len(set(zlib.decompress(data)))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390, 320])
@pytest.mark.parametrize("name", ["full", "over"])
def test_it_looks_right(show: Any, tmp_path: Path, name: str, width: int, dark: bool) -> None:
    page = show({"full": full, "over": over}[name](), width, dark=dark, phone=width < 600)
    assert page.complaints() == []
    assert [url.partition(":")[0] for url in page.requests()] == ["file"]
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate("innerWidth") == width
    assert page.evaluate(CONTRAST) == []
    assert page.evaluate(LABELS_THAT_TOUCH) == 0
    keep = os.environ.get("KEYWARD_SCREENSHOTS")
    picture = Path(keep or tmp_path) / f"incident-{name}-{width}-{'dark' if dark else 'light'}.png"
    page.screenshot(picture)
    shown = spread(picture.read_bytes())
    assert shown[0] == width
    assert shown[1] > 2000
    assert shown[2] > 200
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(20, 23, 28)" if dark else "rgb(252, 251, 248)")


def test_tables_scroll_in_themselves(show: Any) -> None:
    page = show(full(), 320, phone=True)
    tables = page.evaluate(
        "[...document.querySelectorAll('.scroll:not(.loose)')].filter(e => e.offsetWidth).map(e => [e.scrollWidth, e.clientWidth])"
    )
    assert len(tables) >= 5
    assert all(inner > outer for inner, outer in tables)


def test_it_can_be_read_with_the_keyboard_alone(show: Any) -> None:
    page = show(full())
    page.key("Tab", 9)
    assert page.evaluate(FOCUSED) == ["A", "#main", "solid", True]  # the way past the contents, which shows itself now
    page.key("Enter", 13)
    assert page.evaluate("document.activeElement.id") == "main"
    page.key("Tab", 9, shift=True)
    assert page.evaluate(FOCUSED)[1] == "#words"  # the last of the contents
    wanted = page.evaluate("document.querySelectorAll('main a, main summary, main .scroll, main pre').length")
    hidden = page.evaluate("[...document.querySelectorAll('main details:not([open]) .scroll')].length")
    met: list[Any] = []
    for _ in range(wanted - hidden):
        page.key("Tab", 9)
        met.append(page.evaluate(FOCUSED))
    assert [stop for stop in met if stop[2] == "none" or not stop[3]] == []
    assert {stop[0] for stop in met} == {"A", "SUMMARY", "DIV", "PRE"}
    assert {"https://t.me/BotFather", "https://github.com/settings/tokens"} <= {stop[1] for stop in met}
    assert len({str(stop) for stop in met}) == len(met) > 12
    page.evaluate("document.querySelector('summary').focus()")
    page.key("Enter", 13)
    assert page.evaluate("document.querySelector('details').open") is True


def test_a_screen_reader_finds_its_way(show: Any) -> None:
    page = show(full())
    page.call("Accessibility.enable")
    nodes = [node for node in page.call("Accessibility.getFullAXTree")["nodes"] if not node.get("ignored")]
    found = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if "role" in node]
    roles = [role for role, _ in found]
    for role in ("banner", "navigation", "main", "contentinfo", "figure", "table", "columnheader", "rowheader"):
        assert role in roles, role
    needs_name = ("image", "img", "figure", "region", "link", "navigation", "DisclosureTriangle")
    assert [role for role, name in found if role in needs_name and not name.strip()] == []
    assert roles.count("image") + roles.count("img") == 4 + 5 + 4  # the signs beside words are not pictures of their own
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(e => +e.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_it_asks_a_server_for_nothing_but_itself(browser: Chromium) -> None:
    """Served over HTTP, where a browser would ask for an icon, and where a forgotten address would be seen."""
    asked: list[str] = []
    body = render_incident("html", full(), OPTIONS).encode()

    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = browser.open(f"http://127.0.0.1:{server.server_address[1]}/report.html")
        assert page.complaints() == []
        page.screenshot(Path(os.devnull))
        page.close()
        server.shutdown()
    assert asked == ["/report.html"]


def test_the_policy_would_stop_what_escaping_missed(browser: Chromium, tmp_path: Path) -> None:
    """The second line: markup that is put into the finished page by hand loads nothing and runs nothing."""
    owned = "document.title='owned'"
    evil = (
        f"<script>{owned}</script><script src=https://evil.example/x.js></script><link rel=stylesheet href=https://evil.example/x.css>"
        f'<img src=https://evil.example/x onerror="{owned}"><iframe src=https://evil.example/></iframe>'
    )
    path = tmp_path / "evil.html"
    path.write_text(render_incident("html", full(), OPTIONS).replace("<main", evil + "<main"), encoding="utf-8")
    page = browser.open(path.as_uri())
    assert page.evaluate("document.title") == "Incident report: agent-7 memory export"
    refused = page.complaints()
    assert len(refused) >= 5
    assert [told for told in refused if "Content Security Policy" not in told] == []
    page.close()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_inert(show: Any, name: str) -> None:
    page = show(hostile(HOSTILE[name]), 390, phone=True)
    assert page.complaints() == []
    assert len(page.requests()) == 1
    assert page.evaluate("document.title").startswith("Incident report: ")
    assert page.evaluate("document.querySelectorAll('script, img, iframe, [onerror], [onfocus], [autofocus]').length") == 0
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.evaluate("innerWidth") == 390
    # nothing hides or moves the rest of the page
    assert page.evaluate("document.querySelector('footer').offsetHeight") > 20
    odd = page.evaluate(
        r"/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u3164]/.test(document.body.innerText)"
    )
    assert odd is False


def test_on_paper_everything_is_open(show: Any) -> None:
    from pypdf import PdfReader

    page = show(full(), dark=True)
    assert page.evaluate("document.querySelectorAll('details[open]').length") == 0
    reader = PdfReader(io.BytesIO(page.paper()))
    text = " ".join(" ".join(sheet.extract_text() for sheet in reader.pages).split())
    assert 4 <= len(reader.pages) <= 14
    for piece in ("message 12 (user)", "playground/hf", "kw1_aaaa", "https://t.me/BotFather", "How to read this report"):
        assert piece in text, piece
    assert "Skip to the report" not in text
    page.call("Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(252, 251, 248)"


def test_two_thousand_leaks_are_shown_at_once(show: Any) -> None:
    """Under two seconds of the page's own thread until all of it is read, laid out and drawn: its processor time, since other
    work may run beside."""
    page = show(Incident("warm"))
    page.call("Performance.enable", timeDomain="threadTicks")
    path = page.evaluate("location.href").removeprefix("file://")
    Path(path).write_text(render_incident("html", large(), OPTIONS), encoding="utf-8")
    before = busy(page)
    page.reload()
    page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)))")
    assert page.evaluate("document.querySelectorAll('tbody tr').length") > 4000
    assert 0.01 < busy(page) - before < 2


def busy(page: Page) -> float:
    """Processor seconds that the page's main thread has worked."""
    return {each["name"]: each["value"] for each in page.call("Performance.getMetrics")["metrics"]}["TaskDuration"]
