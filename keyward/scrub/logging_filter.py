"""Adapters for `logging`.

    handler.addFilter(LoggingFilter())            # the record itself is changed, for this handler and those after it
    root.addHandler(ScrubbingHandler(handler))    # the handler inside gets a changed copy

Put the filter on handlers, not on loggers: a logger's filter is asked only about records that were logged at that very logger, and what
comes up from `logging.getLogger("your.library")` goes past it. A handler's filter sees all that the handler would write.
"""

from __future__ import annotations

import copy
import logging

from keyward.scrub.application import TextScrubber, default_scrubber
from keyward.scrub.log_record import is_plainly_clean, scrub_record, withhold


class LoggingFilter(logging.Filter):
    """A filter for handlers that takes secrets out of records and lets all of them pass.

    `scrubber`: the one of this process unless given. `exceptions_as_text`: every exception becomes the text of its traceback, for
    handlers that show local variables; otherwise only one whose traceback has a secret in it does.

    It never raises: a record that cannot be looked at is withheld, and says so. Making one raises what TextScrubber raises.
    """

    def __init__(self, scrubber: TextScrubber | None = None, *, exceptions_as_text: bool = False) -> None:
        super().__init__()
        self._scrubber = scrubber or default_scrubber()
        self._exceptions_as_text = exceptions_as_text

    def filter(self, record: logging.LogRecord) -> bool:
        """True; False only for a record that cannot even be withheld."""
        try:
            if not is_plainly_clean(self._scrubber, record):
                scrub_record(self._scrubber, record, exceptions_as_text=self._exceptions_as_text)
        except Exception as error:
            return _withheld(record, error)
        return True


class ScrubbingHandler(logging.Handler):
    """Passes records on to another handler without their secrets. A record with something to take out is copied, so that handlers beside
    this one get it as it was logged. Level and formatter are those of the handler inside."""

    def __init__(
        self, handler: logging.Handler, scrubber: TextScrubber | None = None, *, exceptions_as_text: bool = False
    ) -> None:
        super().__init__(handler.level)
        self.handler = handler
        self._scrubber = scrubber or default_scrubber()
        self._exceptions_as_text = exceptions_as_text

    def handle(self, record: logging.LogRecord) -> bool:
        """Without this handler's own lock: the one inside has one, and scrubbing needs none."""
        kept = self.filter(record)
        if not kept:
            return False
        self.emit(kept if isinstance(kept, logging.LogRecord) else record)  # from Python 3.12 on a filter may answer a record
        return True

    def emit(self, record: logging.LogRecord) -> None:
        """Never raises but what the handler inside raises."""
        passed = self._passed(record)
        if passed is not None:
            self.handler.handle(passed)

    def _passed(self, record: logging.LogRecord) -> logging.LogRecord | None:
        """The record itself if it is clean, else a changed copy; None for one that can be neither copied nor withheld."""
        try:
            if is_plainly_clean(self._scrubber, record):
                return record
            record = copy.copy(record)
        except Exception:
            return None
        try:
            scrub_record(self._scrubber, record, exceptions_as_text=self._exceptions_as_text)
        except Exception as error:
            return record if _withheld(record, error) else None
        return record

    def setLevel(self, level: int | str) -> None:
        super().setLevel(level)
        self.handler.setLevel(level)

    def setFormatter(self, fmt: logging.Formatter | None) -> None:
        super().setFormatter(fmt)
        self.handler.setFormatter(fmt)

    def flush(self) -> None:
        self.handler.flush()

    def close(self) -> None:
        self.handler.close()
        super().close()


def _withheld(record: logging.LogRecord, error: Exception) -> bool:
    try:
        withhold(record, error)
    except Exception:
        return False
    return True
