"""Takes credentials out of text: streams, files, stores, log records. Knows nothing of scanning or rotating; flows join them.

For applications:

    from keyward.scrub import LoggingFilter, scrub

The names in `__all__` are public, and so are `ScrubbingSpanProcessor` and `ScrubbingLogRecordProcessor`, which need OpenTelemetry's SDK (an
`import *` must not). All are imported on first use, each with no more than it needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keyward.scrub.application import Note, Scrubbed, TextScrubber, default_scrubber, scrub
    from keyward.scrub.logging_filter import LoggingFilter, ScrubbingHandler
    from keyward.scrub.opentelemetry_processor import ScrubbingLogRecordProcessor as ScrubbingLogRecordProcessor
    from keyward.scrub.opentelemetry_processor import ScrubbingSpanProcessor as ScrubbingSpanProcessor
    from keyward.scrub.redactor import Style
    from keyward.scrub.structlog_events import structlog_processor

__all__ = [
    "LoggingFilter",
    "Note",
    "Scrubbed",
    "ScrubbingHandler",
    "Style",
    "TextScrubber",
    "default_scrubber",
    "scrub",
    "structlog_processor",
]

_HOMES = {
    "LoggingFilter": "logging_filter",
    "Note": "application",
    "Scrubbed": "application",
    "ScrubbingHandler": "logging_filter",
    "ScrubbingLogRecordProcessor": "opentelemetry_processor",
    "ScrubbingSpanProcessor": "opentelemetry_processor",
    "Style": "redactor",
    "TextScrubber": "application",
    "default_scrubber": "application",
    "scrub": "application",
    "structlog_processor": "structlog_events",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'keyward.scrub' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"keyward.scrub.{_HOMES[name]}"), name)
