"""Which part of a name the pass looks for first: the one that stands in the fewest places of ordinary text.

A name such as `aws…secret…key` can be found by any of its words. Hyperscan takes the first, and looks at every place where `aws`
stands; `secret` stands in a fortieth of these. Every such place costs a mispredicted branch and the start of an automaton, and on a tree
of packages these were half of the pass. So an anchor begins with the rarest word of the name, and what follows that word becomes a run
of the bytes that occur in it: a word that is commoner than the first makes nothing rarer.
"""

from __future__ import annotations

from collections.abc import Callable
from re import _constants as sre  # type: ignore[attr-defined]  # private, and stable since 3.11
from typing import Any

Node = tuple[Any, Any]
Flatten = Callable[[list[Node]], list[Node]]

_BY_LENGTH = (1e6, 1e5, 7500.0, 100.0, 30.0, 5.0, 3.0, 2.0, 1.0)
_OFTEN = {
    b"cf": 300, b"fb": 150, b"hw": 50, b"iv": 1300, b"mq": 100, b"pd": 330, b"qq": 75, b"r2": 210, b"tg": 240, b"vt": 75, b"wx": 60,
    b"ado": 36, b"ali": 440, b"all": 900, b"api": 170, b"app": 390, b"ark": 290, b"aws": 610, b"bot": 240, b"cos": 50, b"dev": 110, b"exa": 200, b"fal": 270,
    b"fig": 270, b"git": 400, b"key": 800, b"lbs": 10, b"ltc": 20, b"map": 210, b"mch": 10, b"ngc": 20, b"oss": 80, b"pat": 690, b"pay": 70, b"pre": 890, b"scf": 5, b"set": 820,
    b"sha": 510, b"tcb": 5, b"teo": 20, b"tfs": 5, b"tke": 20, b"type": 850, b"vod": 5, b"vss": 5, b"wif": 5,
    b"auth": 90, b"base": 200, b"code": 970, b"data": 460, b"ding": 320, b"hash": 150, b"info": 190, b"line": 620, b"mail": 60, b"main": 150, b"name": 1290,
    b"pass": 115, b"prod": 60, b"repo": 85, b"rest": 50, b"role": 75, b"send": 35, b"test": 600, b"user": 130, b"work": 190,
    b"cloud": 70, b"event": 50, b"events": 29, b"hooks": 15, b"index": 120, b"local": 180, b"nvcr": 1, b"token": 110, b"value": 520, b"vsts": 1,
    b"access": 85, b"client": 40, b"config": 260, b"delete": 70, b"encoding": 80, b"encrypt": 30, b"global": 70, b"public": 60, b"search": 100, b"secret": 22, b"server": 45,
    b"string": 400, b"system": 130, b"account": 60, b"channel": 22, b"default": 250, b"gateway": 60, b"license": 140, b"message": 100, b"private": 23, b"project": 95,
    b"provider": 40, b"service": 150, b"session": 23, b"shared": 35, b"storage": 16, b"integration": 17,
}  # fmt: skip
"""Times in a megabyte of installed packages or of documentation, whichever is more, letters of either case; for words of the rules that stand
there more often, or more seldom, than their length makes likely. Words of two letters count threefold: Hyperscan tells them apart from little else."""

FEW = 4
"""Members of a class that Hyperscan spells out in literals, wherever it stands."""

SPELLINGS = 4
"""Ways to write one beginning, with and without what is optional in it, that get an expression each: where there are more, Hyperscan looks
for what stands before the first of them alone."""


def times(word: bytes) -> float:
    """How often a word stands in a megabyte of ordinary text, about."""
    return float(_OFTEN.get(word.lower(), _BY_LENGTH[min(len(word), len(_BY_LENGTH) - 1)]))


def narrowed(nodes: list[Node], flatten: Flatten) -> list[list[Node]]:
    """A name's beginning, cut down to what is looked for: never less than what every match contains. More than one sequence where it is
    looked for in several spellings.

    `flatten`: a run of the bytes that a sequence may hold, at least as long as it is.
    """
    return _best(nodes, flatten)[1]


def _best(nodes: list[Node], flatten: Flatten) -> tuple[float, list[list[Node]]]:
    """How often the rarest beginning is found, and the sequences from there on."""
    best: tuple[float, list[list[Node]]] = (float("inf"), [nodes])
    index = 0
    while index < len(nodes):
        op, arg = nodes[index]
        end, spellings = _fixed(nodes, index)
        if end > index:
            count = sum(times(word) for words, _ in spellings for word in words)
            starts = [spelt for _, spelt in spellings]
        else:
            end, count, starts = index + 1, float("inf"), []
            if op is sre.SUBPATTERN and arg[0] is None:
                count, bodies = _best(list(arg[3]), flatten)
                starts = [[(op, (*arg[:3], body))] for body in bodies]
            elif op is sre.BRANCH:
                each = [_best(list(branch), flatten) for branch in arg[1]]
                count = sum(count for count, _ in each)
                together = [bodies[0] for _, bodies in each if len(bodies) == 1]
                starts = [[(op, (arg[0], together))]] if together else []
                starts += [body for _, bodies in each if len(bodies) > 1 for body in bodies]
        if count < best[0]:
            rest = flatten(nodes[end:])
            best = count, [[*start, *rest] for start in starts]
        index = end
    return best


Spelling = tuple[list[bytes], list[Node]]
"""The words that a piece of fixed text may be, and what matches these."""


def _fixed(nodes: list[Node], index: int) -> tuple[int, list[Spelling]]:
    """Where fixed text ends that begins at an index, and its spellings; the index itself if none begins there."""
    found: list[Spelling] = [([b""], [])]
    end = index
    while end < len(nodes):
        more = _spelt(nodes[end])
        if not more or len(found) * len(more) > SPELLINGS or (end == index and any(words == [b""] for words, _ in more)):
            break
        found = [
            ([before + after for before in words for after in added], [*spelt, *own])
            for words, spelt in found
            for added, own in more
        ]
        end += 1
    return end, found


def _spelt(node: Node) -> list[Spelling]:
    """The spellings of a node, if it is fixed text: two where it is optional."""
    op, arg = node
    if op is sre.LITERAL and arg < 256:
        return [([bytes([arg])], [node])]
    if op in (sre.ASSERT, sre.ASSERT_NOT, sre.AT):
        return [([b""], [])]
    if op is sre.IN and len(arg) <= FEW and all(kind is sre.LITERAL for kind, _ in arg):
        return [([bytes([byte]) for _, byte in arg], [node])]
    if op in (sre.MAX_REPEAT, sre.MIN_REPEAT) and (arg[0], arg[1]) == (0, 1):
        end, spelt = _fixed(list(arg[2]), 0)
        return [([b""], []), *spelt] if end and end == len(arg[2]) else []
    if op is sre.SUBPATTERN and arg[0] is None:
        end, spelt = _fixed(list(arg[3]), 0)
        return [(words, [(op, (*arg[:3], body))]) for words, body in spelt] if end and end == len(arg[3]) else []
    if op is sre.BRANCH:
        words: list[bytes] = []
        for body in arg[1]:
            end, spelt = _fixed(list(body), 0)
            if end < len(body) or not end or len(spelt) > 1:
                return []
            words += spelt[0][0]
        return [(words, [node])]
    return []
