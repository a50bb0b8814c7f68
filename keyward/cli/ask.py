"""Asks a person for a value, without showing it."""

from __future__ import annotations

import sys

from keyward.errors import UsageError
from keyward.model.secret import Secret


def ask(question: str) -> Secret:
    """What is typed, hidden. Raises UsageError where there is no terminal to ask at."""
    import getpass
    import warnings

    if not sys.stdin.isatty():
        raise UsageError(f"{question}: nobody can be asked here", hint="Run it in a terminal, or configure a reference.")
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)  # it would show what is typed
        try:
            return Secret(getpass.getpass(f"{question}: ").encode())
        except getpass.GetPassWarning:
            raise UsageError(f"{question}: the terminal cannot hide what is typed") from None
        except EOFError:
            raise UsageError(f"{question}: nothing was typed") from None
