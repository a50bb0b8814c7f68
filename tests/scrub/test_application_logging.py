"""`logging` without secrets: whatever part of a record they stand in, whatever handler writes it, and without disturbing anybody."""

from __future__ import annotations

import asyncio
import copy
import io
import logging
import logging.config
import logging.handlers
import queue
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from tests_support import token

from keyward.plugin.shapes import an
from keyward.scrub import LoggingFilter, ScrubbingHandler, TextScrubber
from keyward.scrub.log_record import MISFIT, STANDARD, is_plainly_clean
from keyward.scrub.pseudonym import Pseudonyms

TOKEN = token(1).decode()
PASSWORD = an(22).sample(5).text.decode()
NAMES = Pseudonyms(b"k" * 32)
GONE = f"[redacted:github/pat-classic:{NAMES.of(TOKEN.encode())}]"


@cache
def scrubber() -> TextScrubber:
    return TextScrubber(pseudonyms=NAMES)


def only_filter() -> LoggingFilter:
    return LoggingFilter(scrubber())


class Kept(logging.Handler):
    """Keeps the records that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    logger = logging.getLogger("app.part")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    yield logger
    for handler in list(logger.handlers):
        logger.removeHandler(handler)


@pytest.fixture
def written(logger: logging.Logger) -> io.StringIO:
    """What a handler with the filter writes."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    handler.addFilter(only_filter())
    logger.addHandler(handler)
    return stream


@pytest.fixture
def kept(logger: logging.Logger) -> Kept:
    handler = Kept()
    handler.addFilter(only_filter())
    logger.addHandler(handler)
    return handler


class Client:
    def __init__(self, key: str) -> None:
        self.key = key

    def __str__(self) -> str:
        return f"client with {self.key}"


class Broken:
    def __str__(self) -> str:
        raise RuntimeError(f"cannot say {TOKEN}")

    __repr__ = __str__


# --- messages and arguments ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "args", "line"),
    [
        (f"is {TOKEN}", (), f"is {GONE}"),
        ("is %s of %d", (TOKEN, 5), f"is {GONE} of 5"),
        ("is %r", (TOKEN,), f"is '{GONE}'"),
        ("is %s", (Client(TOKEN),), f"is client with {GONE}"),
        ("has %s", ([1, {"key": TOKEN}],), f"has [1, {{'key': '{GONE}'}}]"),
        ("is %(key)s", ({"key": TOKEN},), f"is {GONE}"),
        ("%s%s", (TOKEN[:15], TOKEN[15:]), GONE),
        (f"{TOKEN} is {'%'}s", ("here",), f"{GONE} is here"),
        (ValueError(TOKEN), (), GONE),
        ({"key": TOKEN, "n": 1}, (), f"{{'key': '{GONE}', 'n': 1}}"),
        ("the first are %.4s", (TOKEN,), "the first are ghp_"),
    ],
)  # fmt: skip
def test_a_message_and_its_arguments(
    logger: logging.Logger, written: io.StringIO, kept: Kept, message: Any, args: tuple[Any, ...], line: str
) -> None:
    logger.info(message, *args)
    assert written.getvalue() == f"INFO {line}\n"
    assert TOKEN not in repr((kept.records[0].msg, kept.records[0].args, kept.records[0].__dict__))


def test_a_template_and_its_arguments_stay_apart_where_they_can(logger: logging.Logger, kept: Kept) -> None:
    """Formatters of access logs take the arguments apart, and error trackers group by the template."""
    logger.info('%s "GET %s" %d', "10.0.0.3:1", f"/login?key={TOKEN}", 200)
    logger.info("%s and %s", TOKEN[:15], TOKEN[15:])
    assert (kept.records[0].msg, kept.records[0].args) == ('%s "GET %s" %d', ("10.0.0.3:1", f"/login?key={GONE}", 200))
    logger.info("password=%s", PASSWORD)
    assert kept.records[2].msg == "password=%s" and PASSWORD not in str(kept.records[2].args)


def test_arguments_that_do_not_fit(logger: logging.Logger, written: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    """logging itself would print them to standard error."""
    logger.info("one %s", TOKEN, "two")
    logger.info("number %d", TOKEN)
    assert capsys.readouterr().err == ""
    assert written.getvalue().splitlines() == [
        f"INFO one %s ('{GONE}', 'two') {MISFIT}",
        f"INFO number %d ('{GONE}',) {MISFIT}",
    ]


def test_a_misfit_without_a_secret_is_reported_as_ever(capsys: pytest.CaptureFixture[str]) -> None:
    handler = logging.StreamHandler(io.StringIO())
    handler.addFilter(only_filter())
    handler.handle(logging.makeLogRecord({"msg": "one %s", "args": ("one", "two")}))
    assert "not all arguments converted" in capsys.readouterr().err


# --- exceptions ------------------------------------------------------------------------------------------------------------------------


def fail() -> None:
    local = TOKEN
    try:
        raise KeyError(f"inner {local}")
    except KeyError as error:
        outer = ValueError("outer")
        outer.add_note(f"noted {local}")
        raise outer from error


def test_a_traceback_with_the_exceptions_that_led_to_it(logger: logging.Logger, written: io.StringIO, kept: Kept) -> None:
    try:
        fail()
    except ValueError:
        logger.exception("failed")
    text = written.getvalue()
    assert TOKEN not in text
    assert f"KeyError: 'inner {GONE}'" in text and f"noted {GONE}" in text and "direct cause" in text
    assert "raise outer from error" in text  # it is a traceback still
    assert kept.records[0].exc_info is None and TOKEN not in str(kept.records[0].__dict__)


def test_a_group_of_exceptions(logger: logging.Logger, written: io.StringIO) -> None:
    try:
        raise ExceptionGroup("both", [ValueError(TOKEN), KeyError("other")])
    except ExceptionGroup:
        logger.exception("failed")
    assert TOKEN not in written.getvalue() and GONE in written.getvalue() and "other" in written.getvalue()


def test_an_exception_without_a_secret_is_left_to_the_formatter(logger: logging.Logger, kept: Kept) -> None:
    def work() -> None:
        local = TOKEN  # not in the traceback's text
        raise ValueError(len(local))

    for attached in (kept, Kept()):
        logger.addHandler(attached)
    try:
        work()
    except ValueError as error:
        logger.exception("failed")
        assert kept.records[0].exc_info is not None and kept.records[0].exc_info[1] is error


def test_exceptions_as_text_leave_no_local_variables_to_look_at(logger: logging.Logger) -> None:
    handler = Kept()
    handler.addFilter(LoggingFilter(scrubber(), exceptions_as_text=True))
    logger.addHandler(handler)
    try:
        raise ValueError("nothing secret in the text")
    except ValueError:
        logger.exception("failed")
    (record,) = handler.records
    assert record.exc_info is None and (record.exc_text or "").endswith("ValueError: nothing secret in the text")


def test_what_an_earlier_handler_s_formatter_left_in_the_record_goes_too(logger: logging.Logger, kept: Kept) -> None:
    plain = logging.StreamHandler(io.StringIO())
    plain.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger.handlers.insert(0, plain)
    try:
        raise ValueError(TOKEN)
    except ValueError:
        logger.exception("is %s", TOKEN, stack_info=True)
    (record,) = kept.records
    assert TOKEN in plain.stream.getvalue()
    assert record.exc_text and GONE in record.exc_text
    assert TOKEN not in str(record.__dict__)


def test_a_stack(logger: logging.Logger, written: io.StringIO) -> None:
    record = logging.makeLogRecord(
        {"msg": "here", "levelno": 20, "levelname": "INFO", "stack_info": f"Stack:\n  call({TOKEN!r})"}
    )
    logger.handle(record)
    assert written.getvalue() == f"INFO here\nStack:\n  call('{GONE}')\n"


# --- what the application adds ---------------------------------------------------------------------------------------------------------


def test_what_is_added_to_a_record(logger: logging.Logger, kept: Kept) -> None:
    headers = {"X-Key": TOKEN, "n": 1, "list": [TOKEN]}
    extra = {
        "key": TOKEN,
        "headers": headers,
        "client": Client(TOKEN),
        "password": PASSWORD,
        "number": 7,
        "raw": TOKEN.encode(),
    }
    logger.info("fine", extra=extra)
    (record,) = kept.records
    added = {name: value for name, value in record.__dict__.items() if name not in STANDARD}
    assert added["key"] == GONE
    assert added["headers"] == {"X-Key": GONE, "n": 1, "list": [GONE]}
    assert added["client"] == f"client with {GONE}"
    assert added["password"].startswith("[redacted:generic/")
    assert added["number"] == 7 and added["raw"] == GONE.encode()
    assert headers["X-Key"] == TOKEN  # the application's own is not touched
    assert record.getMessage() == "fine"


def test_a_secret_that_the_message_gives_away_goes_from_what_is_added_too(logger: logging.Logger, kept: Kept) -> None:
    logger.info("password=%s", PASSWORD, extra={"typed": f"<{PASSWORD}>"})
    assert PASSWORD not in str(kept.records[0].__dict__)


# --- never in the way ---------------------------------------------------------------------------------------------------------------------


def test_a_clean_record_is_not_touched(logger: logging.Logger, kept: Kept) -> None:
    args = (1, "two", {"three": 3.0}, Client("none"))
    extra = {"request": {"id": "a1"}, "client": Client("none")}
    logger.info("%s %s %s %s", *args, extra=extra)
    (record,) = kept.records
    assert record.args is not None and tuple(record.args) == args
    assert record.msg == "%s %s %s %s" and record.__dict__["request"] is extra["request"]
    assert record.__dict__["client"] is extra["client"]


@pytest.mark.parametrize("where", ["argument", "message", "added", "in a container"])
def test_what_cannot_be_looked_at_is_withheld_and_nothing_is_raised(
    logger: logging.Logger, written: io.StringIO, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    calls = {
        "argument": lambda: logger.info("is %s and " + TOKEN, Broken()),
        "message": lambda: logger.info(Broken()),
        "added": lambda: logger.info("fine", extra={"thing": Broken(), "other": TOKEN}),
        "in a container": lambda: logger.info("fine", extra={"thing": [Broken()]}),
    }
    calls[where]()
    assert TOKEN not in written.getvalue() and "withheld" in written.getvalue()
    assert written.getvalue().endswith("(RuntimeError)]\n")
    assert TOKEN not in capsys.readouterr().err


def test_a_record_that_cannot_even_be_withheld_is_dropped() -> None:
    class Stubborn(logging.LogRecord):
        def __setattr__(self, name: str, value: Any) -> None:
            if name in self.__dict__ and name == "msg":
                raise RuntimeError("no")
            super().__setattr__(name, value)

    record = Stubborn("app", 20, "x.py", 1, f"is {TOKEN}", (), None)
    assert only_filter().filter(record) is False


@pytest.mark.parametrize(
    "record",
    [
        logging.makeLogRecord({"msg": "worker %d of %s", "args": (17, "alice")}),
        logging.makeLogRecord({"msg": "worker", "request_id": "a1", "user": 5, "message": "worker", "asctime": "now"}),
        logging.makeLogRecord({"msg": "%s: %s", "args": ("x", ValueError("y"))}),
        logging.makeLogRecord({"msg": "x", "request": {"id": "a1", "tags": ["x", ("y", 1)], "none": None}}),
    ],
)
def test_ordinary_records_take_the_quick_way(record: logging.LogRecord) -> None:
    assert is_plainly_clean(scrubber(), record)


@pytest.mark.parametrize(
    "fields",
    [
        {"msg": TOKEN},
        {"msg": "%s", "args": (TOKEN,)},
        {"msg": "%.1s", "args": (TOKEN,)},
        {"msg": "x", "key": TOKEN},
        {"msg": "x", "password": PASSWORD},
        {"msg": "x", "exc_text": TOKEN},
        {"msg": "x", "stack_info": TOKEN},
        {"msg": "%s", "args": ([TOKEN],)},
        {"msg": "x", "request": {"list": [{"key": TOKEN}]}},
        {"msg": "x", "request": {TOKEN: 1}},
        {"msg": "x", "request": {"password": PASSWORD}},
        {"msg": "x", "request": [1, ("x", {TOKEN})]},
        {"msg": "x", "request": {"client": Client(TOKEN)}},
    ],
)
def test_the_quick_way_misses_nothing(fields: dict[str, Any]) -> None:
    assert not is_plainly_clean(scrubber(), logging.makeLogRecord(fields))


# --- handlers ------------------------------------------------------------------------------------------------------------------------------


def test_a_logger_s_filter_does_not_see_what_comes_up_and_a_handler_s_does(logger: logging.Logger) -> None:
    """Why the filter belongs on handlers."""
    child = logger.getChild("below")
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger.addHandler(handler)
    logger.addFilter(only_filter())
    child.info(TOKEN)
    assert TOKEN in stream.getvalue()
    stream.truncate(0)
    logger.filters.clear()
    handler.addFilter(only_filter())
    child.info(TOKEN)
    assert TOKEN not in stream.getvalue()


def test_a_handler_inside_another_gets_a_copy(logger: logging.Logger) -> None:
    stream, beside = io.StringIO(), Kept()
    inside = logging.StreamHandler(stream)
    inside.setLevel(logging.WARNING)
    outer = ScrubbingHandler(inside, scrubber())
    outer.setFormatter(logging.Formatter("<%(message)s>"))
    logger.addHandler(outer)
    logger.addHandler(beside)
    logger.info("too low %s", TOKEN)
    logger.error("is %s", TOKEN, extra={"key": TOKEN})
    assert stream.getvalue() == f"<is {GONE}>\n"
    assert beside.records[1].args == (TOKEN,) and beside.records[1].__dict__["key"] == TOKEN
    outer.flush()
    outer.close()


def test_a_handler_around_another_withholds_too(logger: logging.Logger) -> None:
    inside, beside = Kept(), Kept()
    logger.addHandler(ScrubbingHandler(inside, scrubber()))
    logger.addHandler(beside)
    logger.error("fine", extra={"thing": Broken()})
    assert "withheld" in inside.records[0].getMessage() and "withheld" in str(inside.records[0].__dict__["thing"])
    assert isinstance(beside.records[0].__dict__["thing"], Broken)


def test_a_record_that_cannot_even_be_copied_is_dropped_and_nothing_is_raised() -> None:
    class Uncopied(logging.LogRecord):
        def __reduce_ex__(self, protocol: Any) -> Any:
            raise RuntimeError(TOKEN)

    inside = Kept()
    outer = ScrubbingHandler(inside, scrubber())
    outer.handle(Uncopied("app", 20, "x.py", 1, f"is {TOKEN}", (), None))
    assert inside.records == []
    outer.handle(Uncopied("app", 20, "x.py", 1, "is nothing", (), None))
    assert [record.getMessage() for record in inside.records] == ["is nothing"]


def test_a_filter_before_it_decides(logger: logging.Logger) -> None:
    inside = Kept()
    outer = ScrubbingHandler(inside, scrubber())
    outer.addFilter(lambda record: "keep" in record.getMessage())
    logger.addHandler(outer)
    logger.info("drop")
    logger.info("keep %s", TOKEN)
    assert [record.getMessage() for record in inside.records] == [f"keep {GONE}"]


def test_a_queue_holds_no_secret(logger: logging.Logger) -> None:
    waiting: queue.Queue[Any] = queue.Queue()
    handler = logging.handlers.QueueHandler(waiting)
    handler.addFilter(only_filter())
    logger.addHandler(handler)
    kept = Kept()
    listener = logging.handlers.QueueListener(waiting, kept)
    try:
        raise ValueError(TOKEN)
    except ValueError:
        logger.exception("is %s", TOKEN, extra={"key": TOKEN})
    assert all(TOKEN not in str(record.__dict__) for record in waiting.queue)
    listener.start()
    listener.stop()
    assert GONE in kept.records[0].getMessage()


def test_a_listener_s_handler_with_the_filter(logger: logging.Logger) -> None:
    waiting: queue.Queue[Any] = queue.Queue()
    logger.addHandler(logging.handlers.QueueHandler(waiting))
    kept = Kept()
    kept.addFilter(only_filter())
    listener = logging.handlers.QueueListener(waiting, kept, respect_handler_level=True)
    listener.start()
    logger.error("is %s", TOKEN)
    listener.stop()
    assert kept.records[0].getMessage() == f"is {GONE}"


def test_tasks_that_log_at_once(logger: logging.Logger, written: io.StringIO) -> None:
    async def work(number: int) -> None:
        for _ in range(5):
            logger.info("%d %s", number, token(number).decode())
            await asyncio.sleep(0)

    async def all_of_them() -> None:
        await asyncio.gather(*(work(number) for number in range(20)), asyncio.to_thread(logger.info, TOKEN))

    asyncio.run(all_of_them())
    lines = written.getvalue().splitlines()
    assert len(lines) == 101 and "ghp_" not in written.getvalue()


def test_it_is_configured_from_a_dictionary(environment: None, capfd: pytest.CaptureFixture[str]) -> None:
    configured = {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"secrets": {"()": "keyward.scrub.LoggingFilter"}},
        "handlers": {"all": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "filters": ["secrets"]}},
        "loggers": {"app.configured": {"handlers": ["all"], "level": "INFO", "propagate": False}},
    }
    logging.config.dictConfig(configured)
    logging.getLogger("app.configured").info("is %s", TOKEN)
    sys.stdout.flush()
    assert TOKEN not in capfd.readouterr().out


def test_a_record_may_be_copied_and_scrubbed_again(logger: logging.Logger, kept: Kept) -> None:
    logger.info("is %s", TOKEN, extra={"key": TOKEN})
    once = copy.deepcopy(kept.records[0].__dict__)
    assert only_filter().filter(kept.records[0])
    assert kept.records[0].__dict__ == once
