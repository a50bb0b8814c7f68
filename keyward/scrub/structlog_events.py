"""A processor for structlog: the last one before the renderer.

    structlog.configure(processors=[..., structlog.processors.format_exc_info, structlog_processor(), structlog.processors.JSONRenderer()])

After a renderer it works too, on the text or bytes that the renderer made. structlog itself is not imported.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, MutableMapping
from typing import Any

from keyward.scrub.application import WITHHELD, TextScrubber, default_scrubber
from keyward.scrub.document import PLAIN, Document, decoded
from keyward.scrub.log_record import traceback_text

MESSAGES = frozenset(("event", "message", "msg", "exception", "stack", "stack_info"))
"""Keys that say nothing about what their values are."""

_META = frozenset(("_record", "_from_structlog", "_logger", "_name"))
"""What structlog keeps for itself in an event, and takes out again."""

Processor = Callable[[Any, str, Any], Any]


def structlog_processor(scrubber: TextScrubber | None = None) -> Processor:
    """Makes the processor. It never raises: an event that cannot be looked at is withheld, and says so.

    An exception that is still in `exc_info` becomes the text of its traceback, under `exception`, where a secret is in it.
    """
    scrubbing = scrubber or default_scrubber()

    def processor(logger: Any, method: str, event: Any) -> Any:
        try:
            return _scrubbed(scrubbing, event)
        except Exception:
            return _withheld(event)

    return processor


def _scrubbed(scrubber: TextScrubber, event: Any) -> Any:
    document = Document()
    if not isinstance(event, MutableMapping):
        node = document.node(event)
        return node.rebuilt(scrubber.pieces(document))
    trace = _traceback_of(event.get("exc_info"))
    number = document.text(trace) if trace else -1
    members = [
        (key, document.key(key), document.node(value, "" if key in MESSAGES else str(key)))
        for key, value in event.items()
        if key not in _META and key != "exc_info"
    ]
    pieces = scrubber.pieces(document)
    if not pieces and not document.too_much:
        return event
    for key, name, node in members:
        new, value = name.rebuilt(pieces), node.rebuilt(pieces)
        if new is not key:
            del event[key]
        if new is not key or value is not event[key]:
            event[new] = value
    piece = pieces[number] if pieces and trace else None
    if piece is not None:
        del event["exc_info"]
        event["exception"] = decoded(piece)
    return event


def _traceback_of(info: Any) -> str:
    if not info:
        return ""
    return traceback_text(info if isinstance(info, (tuple, BaseException)) else sys.exc_info())


def _withheld(event: Any) -> Any:
    if isinstance(event, (bytes, bytearray)):
        return WITHHELD.encode()
    if not isinstance(event, MutableMapping):
        return WITHHELD
    try:
        kept = {key: value for key, value in event.items() if key in _META or type(value) in PLAIN}
    except Exception:  # a mapping of somebody's own that does not even list its members
        kept = {}
    return {**kept, "event": WITHHELD}
