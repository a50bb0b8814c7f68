"""A Secret does not leak by accident."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback

import pytest

from keyward.model.secret import Secret

CANARY = b"canary-7f3a91"


def test_no_form_of_printing_shows_it() -> None:
    secret = Secret(CANARY)
    shown = [str(secret), repr(secret), f"{secret}", f"{secret!r:>40}", repr([secret]), repr({"k": secret})]
    assert not any("canary" in text for text in shown)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_cannot_be_pickled(protocol: int) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret(CANARY), protocol)


def test_it_cannot_be_copied_iterated_encoded_or_changed() -> None:
    secret = Secret(CANARY)
    for attempt in (lambda: copy.copy(secret), lambda: copy.deepcopy(secret), lambda: list(secret), lambda: bytes(secret),
                    lambda: json.dumps(secret)):  # fmt: skip
        with pytest.raises(TypeError):
            attempt()
    with pytest.raises(AttributeError):
        secret._value = b""  # type: ignore[misc]
    with pytest.raises(AttributeError):
        del secret._value


def test_a_log_record_and_a_traceback_do_not_show_it(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(CANARY)
    logging.getLogger("t").warning("value %s %r", secret, secret)
    try:
        raise ValueError(secret)
    except ValueError:
        text = traceback.format_exc()
    assert "canary" not in caplog.text + text


def test_equality_and_reveal() -> None:
    assert Secret(CANARY) == Secret(CANARY) != Secret(b"other")
    assert len({Secret(CANARY), Secret(CANARY)}) == 1
    assert Secret(CANARY).reveal() == CANARY
    assert len(Secret(CANARY)) == len(CANARY)
