"""Processors for OpenTelemetry's SDK, around the ones that export.

    provider.add_span_processor(ScrubbingSpanProcessor(BatchSpanProcessor(exporter)))
    logger_provider.add_log_record_processor(ScrubbingLogRecordProcessor(BatchLogRecordProcessor(exporter)))

A span that has ended cannot be changed, and a record belongs to all processors: what has to be changed is copied, and the processor inside
gets the copy. Names, attributes, events, links, status descriptions and bodies are looked at; the resource and the scope stay as they are.

Needs `opentelemetry-sdk`, which whoever uses this has.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from keyward.errors import UsageError
from keyward.scrub.application import WITHHELD, TextScrubber, default_scrubber
from keyward.scrub.document import Document, Node, Pieces

try:
    from opentelemetry.attributes import BoundedAttributes
    from opentelemetry.sdk._logs import LogRecordProcessor  # type: ignore[import-not-found, unused-ignore]
    from opentelemetry.sdk.trace import SpanProcessor  # type: ignore[import-not-found, unused-ignore]
    from opentelemetry.sdk.util import BoundedList  # type: ignore[import-not-found, unused-ignore]
    from opentelemetry.trace import Status
except ImportError:
    raise UsageError("opentelemetry-sdk is not installed", hint="Install it with: pip install opentelemetry-sdk") from None

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan  # type: ignore[import-not-found, unused-ignore]


class ScrubbingSpanProcessor(SpanProcessor):  # type: ignore[misc, unused-ignore]
    """Passes spans on to another processor, without the secrets in them once they have ended. Never raises but what that one raises; a
    span that cannot be looked at goes on without its texts."""

    def __init__(self, processor: SpanProcessor, scrubber: TextScrubber | None = None) -> None:
        self._next = processor
        self._scrubber = scrubber or default_scrubber()

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        self._next.on_start(span, parent_context=parent_context)

    def _on_ending(self, span: Any) -> None:
        ending = getattr(self._next, "_on_ending", None)  # newer SDKs have it
        if ending is not None:
            ending(span)

    def on_end(self, span: ReadableSpan) -> None:
        try:
            passed = _span(self._scrubber, span)
        except Exception:
            try:
                passed = _bare_span(span)
            except Exception:
                return
        self._next.on_end(passed)

    def shutdown(self) -> None:
        self._next.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return bool(self._next.force_flush(timeout_millis))


class ScrubbingLogRecordProcessor(LogRecordProcessor):  # type: ignore[misc, unused-ignore]
    """Passes log records on to another processor, without the secrets in them. Never raises but what that one raises; a record that cannot
    be looked at is withheld, and says so."""

    def __init__(self, processor: LogRecordProcessor, scrubber: TextScrubber | None = None) -> None:
        self._next = processor
        self._scrubber = scrubber or default_scrubber()

    def on_emit(self, log_record: Any) -> None:
        passed = self._passed(log_record)
        if passed is not None:
            self._next.on_emit(passed)

    def emit(self, log_data: Any) -> None:
        """As older SDKs call it."""
        passed = self._passed(log_data)
        if passed is not None:
            older: Any = self._next
            older.emit(passed)

    def enabled(self, **about: Any) -> bool:
        asked = getattr(self._next, "enabled", None)
        return True if asked is None else bool(asked(**about))

    def shutdown(self) -> None:
        self._next.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return bool(self._next.force_flush(timeout_millis))

    def _passed(self, record: Any) -> Any:
        try:
            return _record(self._scrubber, record)
        except Exception:
            try:
                return _changed_record(record, WITHHELD, {}, None)
            except Exception:
                return None


def _span(scrubber: TextScrubber, span: ReadableSpan) -> ReadableSpan:
    document = Document()
    name = document.node(span.name)
    description = document.node(span.status.description)
    attributes = _attributes(document, span.attributes)
    events = [(document.node(event.name), _attributes(document, event.attributes)) for event in span.events]
    links = [_attributes(document, link.attributes) for link in span.links]
    pieces = scrubber.pieces(document)
    if not pieces and not document.too_much:
        return span
    return _changed_span(
        span,
        name.rebuilt(pieces),
        description.rebuilt(pieces),
        _rebuilt(attributes, pieces),
        [(named.rebuilt(pieces), _rebuilt(each, pieces)) for named, each in events],
        [_rebuilt(each, pieces) for each in links],
    )


def _changed_span(
    span: ReadableSpan,
    name: str,
    description: str | None,
    attributes: dict[str, Any],
    events: list[tuple[str, dict[str, Any]]],
    links: list[dict[str, Any]],
) -> ReadableSpan:
    """A copy with other texts and the same times, ids and counts of what was dropped. Raises ValueError where the copy does not show
    what it was given: the SDK has no public way to make one, and its private names may change."""
    own: Any = copy.copy(span)
    own._name = name
    own._status = Status(span.status.status_code, description)
    own._attributes = _bounded(attributes, span.attributes, span.dropped_attributes)
    own._events = _list(
        [_with_attributes(event, texts, named) for event, (named, texts) in zip(span.events, events)], span.dropped_events
    )
    own._links = _list([_with_attributes(link, texts) for link, texts in zip(span.links, links)], span.dropped_links)
    if (
        own.name != name
        or own.status.description != description
        or dict(own.attributes) != attributes
        or [(event.name, dict(event.attributes or {})) for event in own.events] != events
        or [dict(link.attributes or {}) for link in own.links] != links
    ):
        raise ValueError("the copy of a span is not what it should be")
    changed: ReadableSpan = own
    return changed


def _bare_span(span: ReadableSpan) -> ReadableSpan:
    return _changed_span(span, WITHHELD, WITHHELD if span.status.description else None, {}, [], [])


def _with_attributes(thing: Any, attributes: dict[str, Any], name: str | None = None) -> Any:
    own = copy.copy(thing)
    own._attributes = _bounded(attributes, thing.attributes, getattr(thing, "dropped_attributes", 0))
    if name is not None:
        own._name = name
    return own


def _record(scrubber: TextScrubber, record: Any) -> Any:
    """`record`: what a processor is given, with the record proper in `log_record`."""
    log = record.log_record
    document = Document()
    body = document.node(log.body)
    attributes = _attributes(document, log.attributes)
    event = document.node(getattr(log, "event_name", None))
    pieces = scrubber.pieces(document)
    if not pieces and not document.too_much:
        return record
    return _changed_record(record, body.rebuilt(pieces), _rebuilt(attributes, pieces), event.rebuilt(pieces))


def _changed_record(record: Any, body: Any, attributes: dict[str, Any], event: str | None) -> Any:
    own, log = copy.copy(record), copy.copy(record.log_record)
    log.body = body
    log.attributes = _bounded(attributes, log.attributes, getattr(log.attributes, "dropped", 0), immutable=False)
    if hasattr(log, "event_name"):
        log.event_name = event
    if getattr(log, "exception", None) is not None:
        log.exception = None  # its type, message and traceback stand in the attributes
    own.log_record = log
    if own.log_record is not log or log.body != body or dict(log.attributes or {}) != attributes:
        raise ValueError("the copy of a log record is not what it should be")
    return own


def _attributes(document: Document, attributes: Mapping[str, Any] | None) -> list[tuple[Node, Node]]:
    return [(document.key(key), document.node(value, key)) for key, value in (attributes or {}).items()]


def _rebuilt(attributes: list[tuple[Node, Node]], pieces: Pieces) -> dict[str, Any]:
    return {key.rebuilt(pieces): node.rebuilt(pieces) for key, node in attributes}


def _bounded(attributes: dict[str, Any], like: Any, dropped: int, *, immutable: bool = True) -> Any:
    if like is None and not attributes:
        return None
    made = BoundedAttributes(attributes=attributes, immutable=immutable)
    if len(made) < len(attributes):  # older SDKs take nested values only if they are told so
        made = BoundedAttributes(attributes=attributes, immutable=immutable, extended_attributes=True)
    made.dropped = dropped
    return made


def _list(items: list[Any], dropped: int) -> Any:
    made = BoundedList.from_seq(max(len(items), 1), items)
    made.dropped = dropped
    return made
