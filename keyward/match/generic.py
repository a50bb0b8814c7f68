"""The signals for values that nothing but their name gives away, in the order in which they are asked.

Each looks at one thing: what the characters say (`signals.value`), what the name says (`signals.name`), what stands around it
(`signals.around`), and which file it is (`signals.file`). Their weights are added to the rule's score of about 45, so that a random
token stays above 50 wherever it stands, a password that somebody chose stays above 50 under a name that only passwords have, and words,
identifiers and paths fall below. `docs/judgement.md` has what that is worth.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from keyward.match.signals.around import (
    bare_in_code,
    concatenated,
    elsewhere_on_line,
    example_around,
    hash_or_id,
    loosely_joined,
    prose_around,
    same_on_line,
    schema_around,
    test_around,
    test_result,
)
from keyward.match.signals.file import example_file, kind_of_file, path_facts
from keyward.match.signals.name import kind_of_name, name_of_something_else, says_its_name
from keyward.match.signals.phrase import passphrase
from keyward.match.signals.value import (
    algorithm,
    chosen_password,
    drawn_password,
    few_classes,
    identifier,
    keyboard_walk,
    low_entropy,
    markup,
    number_or_date,
    path_or_url,
    random_token,
    type_or_constant,
    uuid,
    words,
)
from keyward.model.finding import Signal

if TYPE_CHECKING:
    from keyward.match.judge import Context

__all__ = ["GENERIC_SIGNALS", "path_facts"]

Ask = Callable[["Context"], Signal | None]

GENERIC_SIGNALS: tuple[Ask, ...] = (
    # those that are cheap and most often decide come first: judging stops where the rest cannot change the outcome
    type_or_constant, elsewhere_on_line, bare_in_code, test_result, loosely_joined, kind_of_file, kind_of_name, name_of_something_else, identifier, number_or_date,
    path_or_url, markup, random_token, drawn_password, chosen_password, passphrase, uuid, few_classes, words, says_its_name, hash_or_id, algorithm, prose_around,
    same_on_line, example_around, schema_around, test_around, concatenated, keyboard_walk, example_file, low_entropy,
)  # fmt: skip

_MOST: dict[Ask, int] = {kind_of_file: 10, kind_of_name: 10}
_MOST_OF_ONE: dict[Ask, int] = {random_token: 25, drawn_password: 15, chosen_password: 5, passphrase: 15, uuid: 5, number_or_date: 15}
"""What a signal can add at most, where it adds anything. Of the latter, which all look at how the value came about, one alone speaks."""


def _reach() -> tuple[int, ...]:
    left = []
    for at in range(len(GENERIC_SIGNALS)):
        rest = GENERIC_SIGNALS[at + 1 :]
        left.append(sum(_MOST.get(each, 0) for each in rest) + max((_MOST_OF_ONE.get(each, 0) for each in rest), default=0))
    return tuple(left)


REACH = _reach()
"""For each signal, how much all those behind it can add at most."""
