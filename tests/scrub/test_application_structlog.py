"""structlog's events without secrets, with the real structlog."""

from __future__ import annotations

import io
import json
import logging
import os
from collections.abc import Iterator
from functools import cache
from typing import Any, NoReturn

import pytest
from tests_support import token

from keyward.plugin.shapes import an
from keyward.scrub import TextScrubber, structlog_processor
from keyward.scrub.pseudonym import Pseudonyms

if os.environ.get("CI"):
    import structlog
else:
    structlog = pytest.importorskip("structlog", reason="structlog is not installed (it is in the extra `test`)")

TOKEN = token(1).decode()
PASSWORD = an(22).sample(5).text.decode()
NAMES = Pseudonyms(b"k" * 32)
GONE = f"[redacted:github/pat-classic:{NAMES.of(TOKEN.encode())}]"


@cache
def scrubber() -> TextScrubber:
    return TextScrubber(pseudonyms=NAMES)


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def logger(*processors: Any) -> tuple[Any, io.StringIO]:
    out = io.StringIO()
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, structlog.processors.add_log_level, *processors],
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    return structlog.get_logger(), out


def test_an_event_before_a_renderer() -> None:
    log, out = logger(structlog_processor(scrubber()), structlog.processors.JSONRenderer())
    log.bind(key=TOKEN).info(f"is {TOKEN}", password=PASSWORD, nested={"list": [TOKEN, 1]}, number=7)
    event = json.loads(out.getvalue())
    assert event["key"] == GONE and event["event"] == f"is {GONE}" and event["level"] == "info"
    assert event["password"].startswith("[redacted:generic/") and event["number"] == 7
    assert event["nested"] == {"list": [GONE, 1]}


@pytest.mark.parametrize(
    "renderer",
    [structlog.processors.JSONRenderer(), structlog.processors.JSONRenderer(serializer=lambda e, **_: json.dumps(e).encode())],
)
def test_a_line_after_a_renderer(renderer: Any) -> None:
    made = []
    log, out = logger(renderer, structlog_processor(scrubber()), lambda logger, method, line: made.append(line) or str(line))
    log.info("is", key=TOKEN)
    assert isinstance(made[0], (str, bytes)) and GONE in out.getvalue() and TOKEN not in out.getvalue()
    assert json.loads(made[0])["key"] == GONE


def test_what_is_bound_to_a_context_goes_and_stays_bound() -> None:
    log, out = logger(structlog_processor(scrubber()), structlog.processors.LogfmtRenderer())
    with structlog.contextvars.bound_contextvars(api=TOKEN):
        log.info("one")
        log.info("two")
    assert TOKEN not in out.getvalue() and out.getvalue().count(GONE) == 2


@pytest.mark.parametrize(
    "before",
    [
        (),
        (structlog.processors.format_exc_info,),
        (structlog.processors.dict_tracebacks,),
        (structlog.processors.StackInfoRenderer(), structlog.processors.format_exc_info),
    ],
)
def test_an_exception(before: tuple[Any, ...]) -> None:
    """With what structlog makes of it, local variables included."""
    log, out = logger(*before, structlog_processor(scrubber()), structlog.processors.JSONRenderer(default=repr))
    try:
        local = {"key": TOKEN}
        raise ValueError(f"is {local['key']}")
    except ValueError:
        log.exception("failed", stack_info=True)
    assert TOKEN not in out.getvalue() and GONE in json.dumps(json.loads(out.getvalue()))
    assert "ValueError" in out.getvalue()


def test_a_clean_event_is_the_very_same() -> None:
    event = {"event": "fine", "nested": {"a": [1]}, "exc_info": True}
    before = dict(event)
    assert structlog_processor(scrubber())(None, "info", event) is event
    assert event == before and event["nested"] is before["nested"]


def test_what_cannot_be_looked_at_is_withheld() -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError(TOKEN)

        __repr__ = __str__

    log, out = logger(structlog_processor(scrubber()), structlog.processors.JSONRenderer())
    log.info(TOKEN, thing=Broken(), key=TOKEN, number=7)
    assert json.loads(out.getvalue()) == {"number": 7, "event": "[keyward: withheld: it could not be looked at]"}


def test_an_event_that_cannot_even_be_listed_is_withheld() -> None:
    class Odd(dict[str, object]):
        def items(self) -> NoReturn:
            raise RuntimeError(TOKEN)

    assert structlog_processor(scrubber())(None, "info", Odd(event=TOKEN)) == {
        "event": "[keyward: withheld: it could not be looked at]"
    }


def test_records_of_logging_that_structlog_formats() -> None:
    """The other way round: structlog's formatter in a handler of logging."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_log_level, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog_processor(scrubber()),
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    own = logging.getLogger("app.foreign")
    own.propagate = False
    own.addHandler(handler)
    try:
        own.warning("is %s", TOKEN, extra={"key": TOKEN})
    finally:
        own.removeHandler(handler)
    assert json.loads(out.getvalue()) == {"event": f"is {GONE}", "level": "warning", "key": GONE}
