"""Several words under a name for passwords: a passphrase, or a sentence about passwords. A sentence has the small words that hold it together."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from keyward.match.signals.name import PASSWORD, name_words, strength
from keyward.match.signals.value import PHRASES
from keyward.model.finding import Signal
from keyward.plugin.letters import READS, digits, fluency, is_drawn, is_random

if TYPE_CHECKING:
    from keyward.match.judge import Context

_HOLD_TOGETHER = frozenset(
    b"a an the this that these those your you my our we i it its is are was be been has have had do does did not no and or but if then than as at by for from "
    b"in into of on to with without within must should shall can could cannot may will would need needs please all any each every must least most "
    b"der die das den dem des ein eine ist sind nicht und oder mit von zu im in auf bitte mindestens le la les un une des du de et ou est sont au aux avec pour pas "
    b"el los las una y o es son con para por se su tu il lo gli di e che non per da em os um uma do da com para een het van en niet".split()
)
_ABOUT = frozenset(
    b"password passwords passwd passphrase passcode pass pin secret token key keys user users username login account email mail name characters character chars "
    b"letters digits length minimum maximum min max required optional invalid incorrect wrong missing empty short long weak strong match matches mismatch confirm confirmation "
    b"confirmed new old current change changed reset forgot forgotten show hide repeat again enter type set unset none null default value string text field hash hashed salted encrypted "
    b"plain plaintext days day hours expires expired attempts policy error failed success update updated create delete kennwort passwort zeichen clave contrasena senha bits bytes byte".split()
)
_GROUPS = re.compile(rb"[A-Za-z0-9]{4,6}(?: [A-Za-z0-9]{4,6}){2,7}\Z")
_MARKS = re.compile(rb"[!@#$%^&*+?~_](?!\Z)")
_WORD = re.compile(rb"[A-Za-z]{2,}")


def passphrase(context: Context) -> Signal | None:
    """Words that no sentence holds together, with a number or a mark among them; four words under a name for passphrases need none. Groups of
    letters that make no word are what Google draws for the passwords of its apps."""
    if context.candidate.rule.id != PHRASES:
        return None
    value = context.value
    if is_sentence(value):
        return Signal("sentence", -60, "a sentence or a label")
    if is_random(value) or is_drawn(value):  # which another signal says
        return None
    if is_grouped(value):
        return Signal("drawn", 15, "groups of characters that make no word")
    words = len(_WORD.findall(value))
    named = name_words(context)
    mixed = words >= 2 and (digits(value) > 0 or _MARKS.search(value) is not None)
    called = words >= 4 and bool(named) and named[-1].endswith(b"phrase")
    if strength(context) == PASSWORD and (mixed or called):
        return Signal("passphrase", 5, "words that make no sentence")
    return Signal("sentence", -60, "a sentence or a label")


@lru_cache(maxsize=512)
def is_sentence(value: bytes) -> bool:
    """Whether words stand there that hold a sentence together, or that speak about passwords."""
    words = [word.strip(b".,;:!?()'").lower() for word in value.split()]
    return any(word in _HOLD_TOGETHER or word in _ABOUT for word in words) or value.endswith((b".", b":", b"?", b","))


def is_grouped(value: bytes) -> bool:
    """Whether letters and digits stand in groups of one size, so that they are easier to type: `abcd efgh ijkl mnop`."""
    if not _GROUPS.match(value) or len({len(group) for group in value.split(b" ")}) > 1:
        return False
    plain = value.replace(b" ", b"")
    return is_random(plain) or (
        not digits(plain) and value == value.lower() and fluency(plain) < READS and fluency(value) < READS
    )
