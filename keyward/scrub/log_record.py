"""A record of `logging` without secrets: its message, its arguments, its traceback, its stack, and what the application added to it."""

from __future__ import annotations

import copy
import logging
import traceback
from typing import Any

from keyward.scrub.application import TextScrubber
from keyward.scrub.document import DEEPEST, LONGEST_NAME, PLAIN, Document, Node, Pieces, decoded

_BLANK = logging.LogRecord("", 0, "", 0, "", None, None)

STANDARD = frozenset((*_BLANK.__dict__, "message", "asctime"))
"""What every record has, or gets from a formatter. All else is what an application, a filter or a record factory added."""

_FIRST = tuple(_BLANK.__dict__)
_USUAL = len(_FIRST)

MOST_GATHERED = 200
"""Texts in a container of which the quick look still makes one text."""

MISFIT = "[keyward: the arguments do not fit the message]"


def is_plainly_clean(scrubber: TextScrubber, record: logging.LogRecord) -> bool:
    """A quick look at what most records are: a message with simple arguments, and simple values beside it. False says only that a closer
    look is needed."""
    fields = record.__dict__
    if record.exc_info or record.exc_text or record.stack_info or type(record.msg) is not str:
        return False
    try:
        text = record.getMessage()
        args = record.args
        if args:
            if type(args) is not tuple:
                return False
            for arg in args:
                kind = type(arg)
                if kind is str:
                    text = f"{text}\n{arg}"
                elif kind not in PLAIN and not _is_in_message(arg):
                    return False
        if len(fields) != _USUAL:
            names = tuple(fields)
            # what was added stands behind the rest, unless somebody took something out: to compare costs half of a set's difference
            added = names[_USUAL:] if names[:_USUAL] == _FIRST else fields.keys() - STANDARD
            texts = [text]
            for name in added:
                value = fields[name]
                kind = type(value)
                if kind is str:
                    if name not in STANDARD:
                        texts.append(f'{name}="{value}"')
                elif kind not in PLAIN and not _gathered(value, name, texts, 0):
                    return False
            text = "\n".join(texts)
        return scrubber.is_clean(text.encode("utf-8", "surrogatepass"))
    except Exception:
        return False


def _gathered(value: object, name: str, texts: list[str], depth: int) -> bool:
    """Whether a container is made of the usual types only, and is not large; then its texts were added as a Document has them. It calls
    itself for containers alone: a call costs as much as three texts."""
    if depth > DEEPEST // 2 or len(texts) > MOST_GATHERED:
        return False
    if type(value) is dict:
        for key, item in value.items():
            if type(key) is not str:
                return False
            if len(key) >= LONGEST_NAME:
                texts.append(key)
            kind = type(item)
            if kind is str:
                texts.append(f'{key}="{item}"')
            elif kind not in PLAIN and not _gathered(item, key, texts, depth + 1):
                return False
        return True
    if not isinstance(value, (list, tuple)):
        return False
    for item in value:
        kind = type(item)
        if kind is str:
            texts.append(f'{name}="{item}"')
        elif kind not in PLAIN and not _gathered(item, name, texts, depth + 1):
            return False
    return True


def _is_in_message(arg: object) -> bool:
    """Whether an argument has no other text than the one that the message shows: containers have what is in them."""
    return not isinstance(arg, (str, bytes, bytearray, dict, list, tuple, set, frozenset)) and not hasattr(arg, "__iter__")


def scrub_record(scrubber: TextScrubber, record: logging.LogRecord, *, exceptions_as_text: bool = False) -> bool:
    """Takes the secrets out of a record, in place; answers whether there was anything to change. May raise what an object's `str()`
    raises; the caller then withholds the record.

    Where only the arguments have to change, the message stays a template with arguments, because some formatters take these apart.
    """
    fields = record.__dict__
    document = Document()
    fits = True
    try:
        message = record.getMessage()
    except Exception:  # logging would print template and arguments to standard error
        message, fits = f"{record.msg} {record.args!r} {MISFIT}", False
    whole = document.text(message)
    template: Node | None = None
    arguments: Node | None = None
    if fits and (record.args or type(record.msg) is not str):
        template, arguments = document.node(record.msg), document.node(record.args)
    trace = traceback_text(record.exc_info)
    texts = {name: document.text(str(fields[name])) for name in ("exc_text", "stack_info") if fields.get(name)}
    if trace:
        texts["exc_info"] = document.text(trace)
    added = {name: document.node(value, name) for name, value in fields.items() if name not in STANDARD}

    pieces = scrubber.pieces(document)
    changed = False
    if pieces or document.too_much:
        changed = _set_message(record, message, whole, template, arguments, pieces)
        for name in ("exc_text", "stack_info"):
            piece = pieces[texts[name]] if pieces and name in texts else None
            if piece is not None:
                fields[name], changed = decoded(piece), True
        for name, node in added.items():
            value = node.rebuilt(pieces)
            if value is not fields[name]:
                fields[name], changed = value, True
    if trace:
        piece = pieces[texts["exc_info"]] if pieces else None
        if piece is not None or exceptions_as_text or (changed and "exc_text" in texts):
            # the exception itself goes: whoever formats it again, or shows its local variables, would show the secret
            if not record.exc_text:
                record.exc_text = decoded(piece) if piece is not None else trace
            record.exc_info = None
            changed = True
    return changed


def _set_message(
    record: logging.LogRecord, message: str, whole: int, template: Node | None, arguments: Node | None, pieces: Pieces
) -> bool:
    piece = pieces[whole] if pieces else None
    clean = message if piece is None else decoded(piece)
    msg = record.msg if template is None else template.rebuilt(pieces)
    args = record.args if arguments is None else arguments.rebuilt(pieces)
    if piece is None and msg is record.msg and args is record.args:
        return False
    candidate = copy.copy(record)
    candidate.msg, candidate.args = msg, args
    if template is None or not _says(candidate, clean):
        msg, args = clean, ()
    record.msg, record.args = msg, args
    if "message" in record.__dict__:  # an earlier handler's formatter left it there
        record.message = clean
    return True


def _says(record: logging.LogRecord, message: str) -> bool:
    try:
        return record.getMessage() == message
    except Exception:
        return False


def traceback_text(info: Any) -> str:
    """As `logging` prints it, with the exceptions that led to it and the notes on them. Local variables are never in it."""
    if isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    if not isinstance(info, tuple) or len(info) != 3 or info[1] is None:
        return ""
    return "".join(traceback.format_exception(*info)).removesuffix("\n")


def withhold(record: logging.LogRecord, error: Exception) -> None:
    """Leaves nothing of a record but who logged it, when, where, and that it could not be looked at."""
    from keyward.scrub.application import WITHHELD

    fields = record.__dict__
    record.msg = f"{WITHHELD[:-1]} ({type(error).__name__})]"
    record.args = ()
    record.exc_info = record.exc_text = record.stack_info = None
    if "message" in fields:
        record.message = record.msg
    for name in [name for name in fields if name not in STANDARD]:
        if type(fields[name]) not in PLAIN:  # the name stays: a format may ask for it
            fields[name] = WITHHELD
