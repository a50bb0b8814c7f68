"""What escape.py promises, for hand-picked and for any text."""

from __future__ import annotations

import base64
import json
import unicodedata
from typing import Any
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyward.report import escape

ANY = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)
"""Any text at all, lone surrogates included."""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("src/Grüße 日本.py", "src/Grüße 日本.py"),
        ("a\x1b[2K\rb", r"a\x1b[2K\x0db"),
        ("a\tb\nc", r"a\x09b\x0ac"),
        ("caf\udce9", r"caf\xe9"),
        ("a\x85b\x9bc", r"a\u0085b\u009bc"),  # a character U+0085, unlike the byte 0x85 of a name that is not UTF-8
        ("a\u202eb\u200b\ufeff", r"a\u202eb\u200b\ufeff"),
        ("\ud800", r"\ud800"),
        ("a\u2028b\xa0c", r"a\u2028b\u00a0c"),
        ("\U000e0041x", r"\U000e0041x"),
        ("\u3164", r"\u3164"),
        ("C:\\Users\\x", "C:\\Users\\x"),
    ],
)
def test_terminal_shows_what_cannot_be_seen(text: str, shown: str) -> None:
    assert escape.terminal(text) == shown


@pytest.mark.parametrize(
    "command", ["::add-mask::x", "  ::error file=a::b", "##[group]x", "x ##vso[task.complete]", "##teamcity[x]", ":::: ####"]
)
def test_log_leaves_no_command(command: str) -> None:
    assert "::" not in escape.log(command)
    assert "##" not in escape.log(command)


@given(ANY)
def test_any_text_becomes_one_harmless_line(text: str) -> None:
    for inert in (
        escape.terminal(text),
        escape.log(text),
        escape.xml(text),
        escape.markdown(text),
        escape.markdown_code(text),
        escape.message(text),
    ):
        assert inert.isprintable()
        assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs"} for char in inert)
        inert.encode("utf-8")
    for inert in (escape.log(text), escape.xml(text), escape.markdown(text), escape.markdown_code(text), escape.message(text)):
        assert "::" not in inert
        assert "##" not in inert


@given(ANY)
def test_xml_reads_back_as_the_log_form(text: str) -> None:
    element = ElementTree.fromstring(f'<a b="{escape.xml(text)}">{escape.xml(text)}</a>')
    assert element.get("b") == (element.text or "") == escape.log(text)


@given(ANY)
def test_json_reads_back_exactly_and_is_inert(text: str) -> None:
    written = escape.json_text({text: [text]})
    assert json.loads(written) == {text: [text]}
    assert written.isascii() and written.isprintable()
    assert not any(token in written for token in ("::", "##", "<", "]]>"))


@given(ANY)
def test_uri_keeps_every_byte(path: str) -> None:
    uri = escape.uri(path)
    plain = path
    while plain.startswith("./") and len(plain) > 2:
        plain = plain[2:].lstrip("/") or "."
    assert uri.isascii() and " " not in uri
    assert unquote_to_bytes(uri.removeprefix("file://")) == escape.path_bytes(plain)


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("a b/c#d?.py", "a%20b/c%23d%3F.py"),
        ("./src/x.py", "src/x.py"),
        ("/etc/x y", "file:///etc/x%20y"),
        ("c:evil", "c%3Aevil"),
        ("caf\udce9", "caf%E9"),
        ("a\\b", "a%5Cb"),
    ],
)
def test_uri(path: str, uri: str) -> None:
    assert escape.uri(path) == uri


def test_uri_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(escape, "WINDOWS", True)
    assert escape.uri("src\\a b.py") == "src/a%20b.py"
    assert escape.uri("C:\\Users\\x") == "file:///C:/Users/x"


@given(ANY)
def test_exact_path_is_kept_one_way_or_the_other(path: str) -> None:
    shown, raw = escape.exact(path)
    if raw:
        assert base64.b64decode(raw) == escape.path_bytes(path)
        assert shown.isprintable()
    else:
        assert shown == path


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        "https://a b",
        "https://a/)x(",
        "https://x/\x1b",
        "",
        "//x",
        "https://x/<y>",
        "https://é",
        "https://",
    ],
)
def test_url_refuses_what_is_no_plain_web_address(text: str) -> None:
    assert escape.url(text) == ""


def test_url_keeps_a_plain_web_address() -> None:
    assert (
        escape.url("https://console.aws.amazon.com/iam/home#/x?y=1&z=%20")
        == "https://console.aws.amazon.com/iam/home#/x?y=1&z=%20"
    )


def test_markdown_is_prose_only() -> None:
    rendered = pytest.importorskip("markdown_it").MarkdownIt("commonmark").enable(["table"])
    hostile = "[a](https://x) ![i](y) <b>h</b> `c` **d** # e | f & &lt; <!-- --> https://x"
    html: Any = rendered.render("x " + escape.markdown(hostile))
    assert html == (
        "<p>x [a](https://x) ![i](y) &lt;b&gt;h&lt;/b&gt; `c` **d** # e | f &amp; &amp;lt; &lt;!-- --&gt; https://x</p>\n"
    )


@given(ANY)
def test_markdown_code_is_one_code_span(text: str) -> None:
    rendered = pytest.importorskip("markdown_it").MarkdownIt("commonmark")
    tokens = rendered.parseInline(escape.markdown_code(text))[0].children
    assert [token.type for token in tokens] == ["code_inline"]
    assert tokens[0].content.strip() == escape.log(text).strip()
