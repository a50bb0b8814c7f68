"""OpenTelemetry's spans and log records without secrets, with the real SDK."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
from tests_support import token

from keyward.plugin.shapes import an
from keyward.scrub import TextScrubber
from keyward.scrub.pseudonym import Pseudonyms

if not os.environ.get("CI"):
    pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is not installed (it is in the extra `test`)")

from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor
from opentelemetry.sdk._logs.export import ConsoleLogRecordExporter, InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from keyward.scrub import ScrubbingLogRecordProcessor, ScrubbingSpanProcessor

TOKEN = token(1).decode()
PASSWORD = an(22).sample(5).text.decode()
NAMES = Pseudonyms(b"k" * 32)
GONE = f"[redacted:github/pat-classic:{NAMES.of(TOKEN.encode())}]"
RESOURCE = Resource({"service.name": "app", "service.note": TOKEN})


@cache
def scrubber() -> TextScrubber:
    return TextScrubber(pseudonyms=NAMES)


class Broken:
    def __str__(self) -> str:
        raise RuntimeError(TOKEN)

    __repr__ = __str__


# --- spans ------------------------------------------------------------------------------------------------------------------------------


class Spans:
    """A provider that exports without secrets, and beside it as they were."""

    def __init__(self, limits: SpanLimits | None = None) -> None:
        self.clean, self.raw, self.text = InMemorySpanExporter(), InMemorySpanExporter(), io.StringIO()
        self.provider = TracerProvider(resource=RESOURCE, span_limits=limits, shutdown_on_exit=False)
        for exporter in (self.clean, ConsoleSpanExporter(out=self.text)):
            self.provider.add_span_processor(ScrubbingSpanProcessor(SimpleSpanProcessor(exporter), scrubber()))
        self.provider.add_span_processor(SimpleSpanProcessor(self.raw))
        self.tracer = self.provider.get_tracer("app", "1.2")


def test_every_text_of_a_span() -> None:
    spans = Spans()
    with spans.tracer.start_as_current_span("linked") as other:
        pass
    link = trace.Link(other.get_span_context(), {"key": TOKEN})
    attributes = {
        "http.url": f"https://example.org/?key={TOKEN}",
        "password": PASSWORD,
        "list": [TOKEN, "x"],
        "number": 7,
        "ok": True,
    }
    with (
        pytest.raises(ValueError),
        spans.tracer.start_as_current_span(f"GET {TOKEN}", links=[link], attributes=attributes) as span,
    ):
        span.add_event(f"sent {TOKEN}", {"header": f"Bearer {TOKEN}"}, timestamp=5)
        raise ValueError(TOKEN)
    clean, raw = spans.clean.get_finished_spans()[1], spans.raw.get_finished_spans()[1]
    assert clean.name == f"GET {GONE}"
    assert clean.attributes is not None
    assert clean.attributes["http.url"] == f"https://example.org/?key={GONE}"
    assert str(clean.attributes["password"]).startswith("[redacted:generic/")
    assert clean.attributes["list"] == (GONE, "x") and clean.attributes["number"] == 7 and clean.attributes["ok"] is True
    assert clean.status.description == f"ValueError: {GONE}" and clean.status.status_code is trace.StatusCode.ERROR
    assert [event.name for event in clean.events] == [f"sent {GONE}", "exception"] and clean.events[0].timestamp == 5
    assert "ValueError" in str(clean.events[1].attributes) and GONE in str(dict(clean.events[1].attributes or {}))
    assert dict(clean.links[0].attributes or {}) == {"key": GONE} and clean.links[0].context == other.get_span_context()
    assert (clean.start_time, clean.end_time, clean.context, clean.parent, clean.kind) == (
        raw.start_time, raw.end_time, raw.context, raw.parent, raw.kind,
    )  # fmt: skip
    assert clean.resource is raw.resource and clean.instrumentation_scope is raw.instrumentation_scope
    assert TOKEN in raw.name  # the processor beside it got it as it was
    assert clean.to_json().count(TOKEN) == 1 == spans.text.getvalue().split('"name": "GET', 1)[1].count(TOKEN)  # the resource


def test_a_clean_span_is_passed_on_as_it_is() -> None:
    class Same(SpanProcessor):
        ended: Any = None

        def on_end(self, span: Any) -> None:
            self.ended = span

    one, other = Same(), Same()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(ScrubbingSpanProcessor(one, scrubber()))
    provider.add_span_processor(other)
    with provider.get_tracer("app").start_as_current_span("fine", attributes={"a": "b"}):
        pass
    assert one.ended is other.ended


def test_the_counts_of_what_was_dropped_stay() -> None:
    spans = Spans(SpanLimits(max_span_attributes=2, max_events=1, max_event_attributes=1))
    with spans.tracer.start_as_current_span("x") as span:
        for number in range(4):
            span.set_attribute(f"key{number}", TOKEN)
            span.add_event("sent", {"a": TOKEN, "b": TOKEN})
    clean, raw = spans.clean.get_finished_spans()[0], spans.raw.get_finished_spans()[0]
    assert (clean.dropped_attributes, clean.dropped_events) == (raw.dropped_attributes, raw.dropped_events) == (2, 3)
    assert clean.events[0].dropped_attributes == raw.events[0].dropped_attributes == 1
    assert TOKEN not in str(dict(clean.attributes or {}))


def test_the_processor_inside_hears_of_everything() -> None:
    class Heard(SpanProcessor):
        def __init__(self) -> None:
            self.calls: list[str] = []

        def on_start(self, span: Any, parent_context: Any = None) -> None:
            self.calls.append("start")

        def _on_ending(self, span: Any) -> None:
            self.calls.append("ending")

        def on_end(self, span: Any) -> None:
            self.calls.append("end")

        def force_flush(self, timeout_millis: int = 30000) -> bool:
            self.calls.append("flush")
            return False

        def shutdown(self) -> None:
            self.calls.append("shutdown")

    heard = Heard()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(ScrubbingSpanProcessor(heard, scrubber()))
    with provider.get_tracer("app").start_as_current_span("x"):
        pass
    assert provider.force_flush() is False
    provider.shutdown()
    assert heard.calls == ["start", "ending", "end", "flush", "shutdown"]


def test_a_span_that_cannot_be_looked_at_goes_on_without_its_texts() -> None:
    class Failing(SpanProcessor):
        """Puts something into the ended span that cannot be said, as a broken instrumentation might."""

        def _on_ending(self, span: Any) -> None:
            span._attributes._dict["thing"] = Broken()

    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(Failing())
    provider.add_span_processor(ScrubbingSpanProcessor(SimpleSpanProcessor(exporter), scrubber()))
    with provider.get_tracer("app").start_as_current_span(f"GET {TOKEN}") as span:
        pass
    (left,) = exporter.get_finished_spans()
    assert "withheld" in left.name and not left.attributes and left.context == span.get_span_context()


# --- log records --------------------------------------------------------------------------------------------------------------------------


class Records:
    def __init__(self) -> None:
        self.clean, self.raw, self.text = InMemoryLogRecordExporter(), InMemoryLogRecordExporter(), io.StringIO()
        self.provider = LoggerProvider(resource=RESOURCE, shutdown_on_exit=False)
        for exporter in (self.clean, ConsoleLogRecordExporter(out=self.text)):
            self.provider.add_log_record_processor(ScrubbingLogRecordProcessor(SimpleLogRecordProcessor(exporter), scrubber()))
        self.provider.add_log_record_processor(SimpleLogRecordProcessor(self.raw))
        self.logger = self.provider.get_logger("app")


@pytest.mark.parametrize(
    ("body", "clean"),
    [
        (f"is {TOKEN}", f"is {GONE}"),
        ({"key": TOKEN, "list": [TOKEN, 1]}, {"key": GONE, "list": [GONE, 1]}),
        (b"x " + TOKEN.encode(), b"x " + GONE.encode()),
        ("nothing", "nothing"),
        (None, None),
    ],
)
def test_a_log_record(body: Any, clean: Any) -> None:
    records = Records()
    attributes = {"header": f"Bearer {TOKEN}", "password": PASSWORD, "nested": {"list": [TOKEN]}, "number": 7}
    records.logger.emit(
        LogRecord(timestamp=5, severity_number=SeverityNumber.ERROR, body=body, attributes=attributes, event_name="x")
    )
    (got,), (raw,) = records.clean.get_finished_logs(), records.raw.get_finished_logs()
    assert got.log_record.body == clean
    assert isinstance(got.log_record.attributes, Mapping)
    assert got.log_record.attributes["header"] == f"Bearer {GONE}" and got.log_record.attributes["number"] == 7
    assert str(got.log_record.attributes["password"]).startswith("[redacted:generic/")
    assert got.log_record.attributes["nested"] == {"list": (GONE,)}
    assert (got.log_record.timestamp, got.log_record.severity_number, got.log_record.event_name) == (
        5,
        SeverityNumber.ERROR,
        "x",
    )
    assert got.resource is raw.resource and raw.log_record.body == body
    assert TOKEN in str(dict(raw.log_record.attributes or {}))  # the processor beside it got it as it was
    assert records.text.getvalue().count(TOKEN) == 1  # the resource


def test_an_exception_in_a_log_record() -> None:
    records = Records()
    try:
        raise ValueError(TOKEN)
    except ValueError as error:
        records.logger.emit(LogRecord(body="failed", exception=error))
    (got,) = records.clean.get_finished_logs()
    texts = dict(got.log_record.attributes or {})
    assert texts["exception.message"] == GONE and TOKEN not in str(texts) and "Traceback" in str(texts["exception.stacktrace"])
    assert got.log_record.exception is None


def test_a_clean_record_is_passed_on_as_it_is() -> None:
    class Same(LogRecordProcessor):
        seen: Any = None

        def on_emit(self, log_record: Any) -> None:
            self.seen = log_record

        def shutdown(self) -> None: ...

        def force_flush(self, timeout_millis: int = 30000) -> bool:
            return True

    one, other = Same(), Same()
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(ScrubbingLogRecordProcessor(one, scrubber()))
    provider.add_log_record_processor(other)
    logger = provider.get_logger("app")
    logger.emit(LogRecord(body="fine", attributes={"a": "b"}))
    assert one.seen is other.seen
    assert logger.enabled(severity_number=SeverityNumber.INFO)
    assert provider.force_flush()
    provider.shutdown()


def test_a_record_that_cannot_be_looked_at_is_withheld() -> None:
    records = Records()
    body: Any = Broken()
    records.provider._multi_log_record_processor._log_record_processors = (
        records.provider._multi_log_record_processor._log_record_processors[:1]
    )  # the others would print it
    records.logger.emit(LogRecord(body=body, attributes={"key": TOKEN}))
    (got,) = records.clean.get_finished_logs()
    assert "withheld" in str(got.log_record.body) and not got.log_record.attributes
