"""From a rule's pattern to its anchor: the coarse expression that the one pass over the bytes looks for.

The anchor drops what Hyperscan cannot do (lookarounds), and cuts everything at the end of the pattern to its shortest
form, so that a hit is reported once per candidate and not once per byte. What stands between a name and its value (quotes,
colons, `value:` on the next line) becomes a run of the bytes that occur in it: a tenth of the states, and hardly more hits.
A name that begins with one or two letters (`cf…token`) is looked for by its later part, because those letters stand everywhere
and each time start a search for the rest. Every match of the pattern contains a match of the anchor; that is what the
differential test of the engines relies on.

What costs most is an anchor without any literal: it sends the whole text through an automaton of its own. Where no literal
is shorter than three bytes, Hyperscan looks at every second position only, and with the hundreds of three-byte literals here
that was slower, not faster (more false candidates, each a mispredicted branch): measure seconds, not instructions alone.

The pattern is read with the standard library's own parser, so both engines see the same expression.
"""

from __future__ import annotations

import functools
import operator
import re
from re import _constants as sre  # type: ignore[attr-defined]  # private, and stable since 3.11
from re import _parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

from keyward.errors import RuleError
from keyward.match.engine.anchor import Anchor
from keyward.match.engine.edges import ENDINGS, takes_escapes
from keyward.match.engine.rarest import FEW, Node, narrowed
from keyward.model.rule import GENERIC, PROVIDER, Rule

UNBOUNDED = 1 << 30

LOOSE = 7
"""A repeat that may vary by more than this is looked for without its upper bound: counting costs states, and the exact match
counts anyway."""

COARSE = 16
"""Glue between a name and its value that takes this many states or more is looked for as a run of its bytes."""

SHORT = 3
"""A literal of fewer bytes than these is found too often to begin a name with."""

TELLING = 28
"""Bytes that a value takes, with what joins it to its name; a shorter one stands behind a part of that name by chance."""

_SYNTAX = re.compile(rb"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[()|]", re.DOTALL)
_REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT)
_CATEGORIES = {
    sre.CATEGORY_DIGIT: "\\d", sre.CATEGORY_NOT_DIGIT: "\\D", sre.CATEGORY_SPACE: "\\s",
    sre.CATEGORY_NOT_SPACE: "\\S", sre.CATEGORY_WORD: "\\w", sre.CATEGORY_NOT_WORD: "\\W",
}  # fmt: skip
_POSITIONS = {
    sre.AT_BEGINNING: "^", sre.AT_BEGINNING_STRING: "\\A", sre.AT_BOUNDARY: "\\b",
    sre.AT_NON_BOUNDARY: "\\B", sre.AT_END: "$", sre.AT_END_STRING: "\\z",
}  # fmt: skip


def derive(rule: Rule) -> Anchor:
    """The anchor of a rule.

    Raises RuleError where the pattern cannot be parsed, uses a backreference, or has nothing to anchor on.
    """
    parsed = parse(rule.pattern, rule)
    flags = parsed.state.flags
    nodes = _trim(list(parsed))
    branches = [nodes]
    if rule.anchor is not None:
        anchors = [parse(branch, rule) for branch in _alternatives(rule.anchor)]
        branches = [list(anchor) for anchor in anchors]
        nodes = branches[0] if len(branches) == 1 else [(sre.BRANCH, (None, branches))]
        flags = functools.reduce(operator.or_, (anchor.state.flags for anchor in anchors), flags)
    if not nodes:
        raise RuleError(f"rule {rule.id}: the pattern can match nothing at all", hint="Begin it with a literal.")
    low, high = _width(nodes)
    full_high = _width(list(parsed))[1]
    if low < 3:
        raise RuleError(f"rule {rule.id}: the pattern is too short to look for (fewer than 3 bytes)")
    exact = low == high and rule.anchor is None
    if rule.anchor is None and not exact:
        branches = _narrow(nodes, flags) if rule.specificity == PROVIDER else [_begin_later(nodes)]
        nodes = branches[0] if len(branches) == 1 else [(sre.BRANCH, (None, branches))]
    escapes = rule.trusted and rule.anchor is None and takes_escapes(parsed)
    expressions = tuple(_emit(branch, flags, outermost=True, escapes=escapes).encode("ascii") for branch in branches)
    return Anchor(
        expression=b"|".join(expressions),
        ignore_case=rule.ignore_case or bool(flags & re.IGNORECASE),
        multiline=bool(flags & re.MULTILINE),
        width=low if exact else 0,
        lookback=min(high, rule.window) if rule.anchor is None else rule.window,
        lookahead=max(min(full_high - low, rule.window), 0) + 64,  # what a lookahead at the end may want to see
        literals=_literals(nodes),
        keeps_to_line=_is_generic(rule, parsed) and _keeps_to_line(list(parsed), flags) and _keeps_to_line(nodes, flags),
        branches=expressions,
        escapes=escapes,
    )


def parse(pattern: bytes, rule: Rule) -> Any:
    try:
        return _parser.parse(pattern, re.IGNORECASE if rule.ignore_case else 0)
    except re.error as error:
        raise RuleError(f"rule {rule.id}: the pattern is not a regular expression: {error}") from None


def _alternatives(anchor: bytes) -> list[bytes]:
    """The alternatives of a hand-written anchor. Hyperscan expands a class of bytes into literals only where these stay few;
    written as alternatives, each has its own."""
    out: list[bytes] = []
    depth = start = 0
    for found in _SYNTAX.finditer(anchor):
        token = found[0]
        depth += (token == b"(") - (token == b")")
        if token == b"|" and not depth:
            out.append(anchor[start : found.start()])
            start = found.end()
    return [*out, anchor[start:]]


def _narrow(nodes: list[Node], flags: int) -> list[list[Node]]:
    """Cuts the name at the beginning of a pattern down to its rarest word, and what stands between that and the value to a run of bytes,
    if the value says something by itself."""
    at = next((at for at, (op, _) in enumerate(nodes) if op not in (sre.ASSERT_NOT, sre.AT)), len(nodes))
    found = [_begin_later(nodes)]
    op, arg = nodes[at]
    if op is sre.SUBPATTERN and arg[0] is None and _width(nodes[at + 1 :])[0] >= TELLING:
        own = (flags | arg[1]) & ~arg[2]

        def flatten(rest: list[Node]) -> list[Node]:
            if not any(map(_has_words, rest)):
                return rest
            return _run(rest, own)

        inner = list(arg[3])
        names = narrowed(inner, flatten)
        if names != [inner]:
            found = [[(op, (*arg[:3], name)), *nodes[at + 1 :]] for name in names]
    return [_coarsen(each, flags) for each in found]


def _has_words(node: Node) -> bool:
    """Whether there is text in a node that Hyperscan would look for."""
    op, arg = node
    if op in _REPEATS:
        return any(map(_has_words, arg[2]))
    bodies = [arg[3]] if op is sre.SUBPATTERN else arg[1] if op is sre.BRANCH else []
    return op is sre.LITERAL or any(map(_has_words, (inner for body in bodies for inner in body)))


def _begin_later(nodes: list[Node]) -> list[Node]:
    """Leaves out the beginning of a name whose literal is too short, where a longer one follows in the same group."""
    if not nodes:
        return nodes
    (op, arg), rest = nodes[0], nodes[1:]
    if op is sre.SUBPATTERN:
        nodes = [(op, (*arg[:3], _begin_later(list(arg[3])))), *rest]
    elif op is sre.BRANCH:
        nodes = [(op, (arg[0], [_begin_later(list(branch)) for branch in arg[1]])), *rest]
    if op in (sre.SUBPATTERN, sre.BRANCH) and _grip(nodes[:1]).longest < SHORT:
        for index, (op, _) in enumerate(rest):
            if op in (sre.LITERAL, sre.SUBPATTERN, sre.BRANCH) and _grip(rest[index:]).longest >= SHORT:
                return rest[index:] if any(map(_is_loose, rest[:index])) else nodes
    return nodes


def _is_loose(node: Node) -> bool:
    """Whether anything may stand here, so that Hyperscan cannot look past it for a longer literal."""
    op, arg = node
    if op in _REPEATS:
        inner = list(arg[2])
        return any(map(_is_loose, inner)) or (int(arg[1]) > FEW and len(inner) == 1 and len(_bytes(inner, 0)) > FEW)
    return op is sre.SUBPATTERN and any(map(_is_loose, arg[3]))


class _Grip(NamedTuple):
    """How long the fixed text in every match is, at least: at its beginning, anywhere, and at its end. `fixed`: all of it is."""

    first: int = 0
    longest: int = 0
    last: int = 0
    fixed: bool = True


def _grip(nodes: list[Node]) -> _Grip:
    """The literals that a sequence offers; a class of few bytes is as good as one of them."""
    first = longest = run = 0
    fixed = True
    for op, arg in nodes:
        if op is sre.LITERAL or (op is sre.IN and len(_bytes([(op, arg)], 0)) <= FEW):
            grip = _Grip(1, 1, 1)
        elif op is sre.SUBPATTERN:
            grip = _grip(list(arg[3]))
        elif op is sre.BRANCH:
            each = [_grip(list(branch)) for branch in arg[1]]
            grip = _Grip(
                min(g.first for g in each), min(g.longest for g in each), min(g.last for g in each), all(g.fixed for g in each)
            )
        elif op in (sre.AT, sre.ASSERT, sre.ASSERT_NOT):
            continue
        else:
            grip = _grip(list(arg[2]))._replace(fixed=False) if op in _REPEATS and arg[0] > 0 else _Grip(fixed=False)
        longest = max(longest, grip.longest, run + grip.first)
        run = run + grip.last if grip.fixed else grip.last
        if fixed:
            first += grip.first
            fixed = grip.fixed
    return _Grip(first, longest, run, fixed)


def _trim(nodes: list[Node]) -> list[Node]:
    """Cuts the end of a sequence to the shortest text that it can match."""
    while nodes:
        op, arg = nodes[-1]
        if op in (sre.ASSERT, sre.ASSERT_NOT, sre.AT):
            nodes.pop()
        elif op in _REPEATS:
            low, _, body = arg
            if low == 0:
                nodes.pop()
                continue
            inner = _trim(list(body)) if low == 1 else list(body)
            nodes[-1:] = inner if low == 1 else [(op, (low, low, inner))]
            return nodes
        elif op is sre.SUBPATTERN:
            inner = _trim(list(arg[3]))
            if not inner:
                nodes.pop()
                continue
            nodes[-1] = (op, (*arg[:3], inner))
            return nodes
        elif op is sre.ATOMIC_GROUP:
            nodes[-1:] = list(arg)
        elif op is sre.BRANCH:
            branches = [_trim(list(branch)) for branch in arg[1]]
            if not all(branches):
                nodes.pop()
                continue
            nodes[-1] = (op, (arg[0], branches))
            return nodes
        else:
            return nodes
    return nodes


def _width(nodes: list[Node]) -> tuple[int, int]:
    """The fewest and the most bytes that a sequence can match."""
    low = high = 0
    for op, arg in nodes:
        if op in (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN):
            few, many = 1, 1
        elif op in _REPEATS:
            inner_low, inner_high = _width(list(arg[2]))
            few = inner_low * int(arg[0])
            many = UNBOUNDED if arg[1] is sre.MAXREPEAT else inner_high * int(arg[1])
        elif op is sre.SUBPATTERN:
            few, many = _width(list(arg[3]))
        elif op is sre.ATOMIC_GROUP:
            few, many = _width(list(arg))
        elif op is sre.BRANCH:
            widths = [_width(list(branch)) for branch in arg[1]]
            few, many = min(w[0] for w in widths), max(w[1] for w in widths)
        else:
            few = many = 0
        low, high = min(low + few, UNBOUNDED), min(high + many, UNBOUNDED)
    return low, high


def _coarsen(nodes: list[Node], flags: int) -> list[Node]:
    """Replaces costly glue after the pattern's beginning by a run of the bytes that can occur in it. Names and values, which
    make the anchor selective, stay."""
    out: list[Node] = []
    run: list[Node] = []

    def close() -> None:
        low, high = _width(run)
        if low != high and _states(run) >= COARSE and any(map(_is_composite, run)):
            out.extend(_run(run, flags))
        else:
            out.extend(run)
        run.clear()

    for node in nodes:
        if out and node[0] in (sre.IN, sre.SUBPATTERN, sre.BRANCH, *_REPEATS) and _width([node])[0] <= 2:
            run.append(node)
            continue
        close()
        out.append(node)
    close()
    return out


def _run(nodes: list[Node], flags: int) -> list[Node]:
    """At least as many bytes as a sequence takes, each of which can occur in it; the first is one that it can begin with. So a run of
    hexadecimal digits is no name with a value behind it: something that is neither letter nor digit must stand between."""
    low, _ = _width(nodes)
    begin = [(sre.IN, _spelt_out(_begins(nodes, flags)[0]))] if low else []
    members = _spelt_out(_bytes(nodes, flags))
    return [*begin, (sre.MAX_REPEAT, (max(low - 1, 0), sre.MAXREPEAT, [(sre.IN, members)]))]


def _spelt_out(members: set[int]) -> list[Node]:
    return [(sre.LITERAL, byte) for byte in sorted(members)]


def _begins(nodes: list[Node], flags: int) -> tuple[set[int], bool]:
    """The bytes that what a sequence matches can begin with, or more, and whether it can be empty."""
    members: set[int] = set()
    for op, arg in nodes:
        if op in (sre.AT, sre.ASSERT, sre.ASSERT_NOT):
            continue
        if op in _REPEATS:
            more, empty = _begins(list(arg[2]), flags)
            empty = empty or not arg[0]
        elif op is sre.SUBPATTERN:
            more, empty = _begins(list(arg[3]), (flags | arg[1]) & ~arg[2])
        elif op is sre.ATOMIC_GROUP:
            more, empty = _begins(list(arg), flags)
        elif op is sre.BRANCH:
            each = [_begins(list(branch), flags) for branch in arg[1]]
            more, empty = set().union(*(first for first, _ in each)), any(empty for _, empty in each)
        else:
            more, empty = _bytes([(op, arg)], flags), False
        members |= more
        if not empty:
            return members, False
    return members, True


def _is_composite(node: Node) -> bool:
    """Whether a node has words or alternatives in it, and is no mere run of characters."""
    op, arg = node
    if op in _REPEATS:
        return _width(list(arg[2]))[0] > 2 or any(_is_composite(inner) for inner in arg[2])
    return op is sre.BRANCH or (op is sre.SUBPATTERN and any(_is_composite(inner) for inner in arg[3]))


def _states(nodes: list[Node]) -> int:
    """How many characters a sequence spells out, repeats counted as they are emitted."""
    count = 0
    for op, arg in nodes:
        if op in _REPEATS:
            times = arg[0] if arg[1] is sre.MAXREPEAT or arg[1] - arg[0] > LOOSE else arg[1]
            count += _states(list(arg[2])) * max(1, int(times))
        elif op is sre.SUBPATTERN:
            count += _states(list(arg[3]))
        elif op is sre.BRANCH:
            count += sum(_states(list(branch)) for branch in arg[1])
        else:
            count += 1
    return count


def _bytes(nodes: list[Node], flags: int) -> set[int]:
    """The bytes that can occur in what a sequence matches, or more."""
    members: set[int] = set()
    for op, arg in nodes:
        if op is sre.LITERAL and not flags & re.IGNORECASE:
            members.add(arg)
        elif op in (sre.LITERAL, sre.IN, sre.NOT_LITERAL, sre.ANY):
            members.update(_members(_emit([(op, arg)], flags), flags & re.IGNORECASE))
        elif op in _REPEATS:
            members |= _bytes(list(arg[2]), flags)
        elif op is sre.SUBPATTERN:
            members |= _bytes(list(arg[3]), (flags | arg[1]) & ~arg[2])
        elif op is sre.ATOMIC_GROUP:
            members |= _bytes(list(arg), flags)
        elif op is sre.BRANCH:
            members.update(*(_bytes(list(branch), flags) for branch in arg[1]))
    return members


@functools.cache
def _members(expression: str, ignore_case: int) -> frozenset[int]:
    regex = re.compile(expression.encode("ascii"), ignore_case)
    return frozenset(byte for byte in range(256) if regex.match(bytes([byte])))


def _is_generic(rule: Rule, parsed: Any) -> bool:
    """Whether a match is one value by itself, judged by nothing but the signals for generic values."""
    alone = rule.check is None and not rule.companions and set(parsed.state.groupdict) <= {"secret"}
    return rule.specificity == GENERIC and rule.trusted and alone


def _keeps_to_line(nodes: list[Node], flags: int) -> bool:
    """Whether a newline can only be the last byte that a sequence matches or looks at."""
    for index, (op, arg) in enumerate(nodes):
        last = index == len(nodes) - 1
        if op is sre.SUBPATTERN and last:
            return _keeps_to_line(list(arg[3]), (flags | arg[1]) & ~arg[2])
        if op is sre.BRANCH and last:
            return all(_keeps_to_line(list(branch), flags) for branch in arg[1])
        if op in (sre.ASSERT, sre.ASSERT_NOT):
            if not _keeps_to_line(list(arg[1]), flags):
                return False
        elif 10 in _bytes([(op, arg)], flags) and not (last and op in (sre.LITERAL, sre.IN)):
            return False
    return True


def _emit(nodes: list[Node], flags: int, *, outermost: bool = False, escapes: bool = False) -> str:
    out: list[str] = []
    for index, (op, arg) in enumerate(nodes):
        if op is sre.LITERAL:
            out.append(_byte(arg))
        elif op is sre.NOT_LITERAL:
            out.append(f"[^{_byte(arg)}]")
        elif op is sre.ANY:
            out.append("[\\x00-\\xff]" if flags & re.DOTALL else "[^\\x0a]")
        elif op is sre.IN:
            out.append(_set(arg))
        elif op in _REPEATS:
            low, high, body = arg
            most = "" if high is sre.MAXREPEAT or high - low > LOOSE else str(high)
            # Lazy, so that `re` reports the nearest end of each start; to Hyperscan, which reports them all, it is the same.
            times = f"{{{low}}}" if most == str(low) else f"{{{low},{most}}}?"
            out.append(f"(?:{_emit(list(body), flags)}){times}")
        elif op is sre.SUBPATTERN:
            _, add, remove, body = arg
            inner_flags = (flags | add) & ~remove
            prefix = "?i:" if add & re.IGNORECASE else "?-i:" if remove & re.IGNORECASE else "?:"
            out.append(f"({prefix}{_emit(list(body), inner_flags)})")
        elif op is sre.ATOMIC_GROUP:
            out.append(f"(?:{_emit(list(arg), flags)})")
        elif op is sre.BRANCH:
            out.append("(?:" + "|".join(_emit(list(branch), flags) for branch in arg[1]) + ")")
        elif op is sre.AT:
            out.append(_POSITIONS.get(arg, ""))
        elif op is sre.ASSERT_NOT and outermost and index == 0:
            out.append(_left_boundary(arg, escapes))
        elif op in (sre.ASSERT, sre.ASSERT_NOT):
            continue
        else:
            raise RuleError(f"the pattern uses {str(op).lower()}, which the engine cannot look for")
    return "".join(out)


def _left_boundary(arg: tuple[int, Any], escapes: bool) -> str:
    """A negative lookbehind for one byte at the start of a pattern: kept, because it spares many hits. `escapes`: what ends an
    escape is let pass; whether it does is for the exact match to see."""
    direction, body = arg
    nodes = list(body)
    if direction > 0 or len(nodes) != 1:
        return ""
    op, value = nodes[0]
    if op is sre.LITERAL:
        return f"(?:\\A|[^{_byte(value)}])"
    if op is sre.IN and value[0][0] is not sre.NEGATE:
        if escapes:
            kept = sorted(_bytes([(op, value)], 0) - ENDINGS)
            return f"(?:\\A|[^{''.join(map(_byte, kept))}])" if kept else ""
        return f"(?:\\A|{_set([(sre.NEGATE, None), *value])})"
    return ""


def _set(items: list[Node]) -> str:
    out: list[str] = []
    for op, arg in items:
        if op is sre.NEGATE:
            out.append("^")
        elif op is sre.LITERAL:
            out.append(_byte(arg))
        elif op is sre.RANGE:
            out.append(f"{_byte(arg[0])}-{_byte(arg[1])}")
        else:
            out.append(_CATEGORIES[arg])
    return "[" + "".join(out) + "]"


def _byte(value: int) -> str:
    character = chr(value)
    return character if character.isascii() and character.isalnum() else f"\\x{value:02x}"


def _literals(nodes: list[Node]) -> tuple[bytes, ...]:
    """The best set of lower-case strings of which every match contains at least one: that with the longest shortest member."""
    best: tuple[bytes, ...] = ()
    run = b""

    def offer(candidates: tuple[bytes, ...]) -> None:
        nonlocal best
        if len(candidates) <= 40 and min(map(len, candidates), default=0) > min(map(len, best), default=0):
            best = candidates

    for op, arg in [*nodes, (None, None)]:
        if op is sre.LITERAL and arg < 128:
            run += bytes([arg]).lower()
            continue
        offer((run,) if run else ())
        run = b""
        if op is sre.SUBPATTERN:
            offer(_literals(list(arg[3])))
        elif op in _REPEATS and arg[0] > 0:
            offer(_literals(list(arg[2])))
        elif op is sre.BRANCH:
            sets = [_literals(list(branch)) for branch in arg[1]]
            if all(sets):
                offer(tuple(dict.fromkeys(literal for each in sets for literal in each)))
    return best


def public_prefix(rule: Rule, part: str) -> re.Pattern[bytes]:
    """Matches the fixed beginning of a part's values (`ghp_`): what may be shown of them. Matches nothing where there is none."""
    nodes = _find_group(parse(rule.pattern, rule), part)
    kept: list[Node] = []
    for op, arg in nodes:
        fixed = op is sre.LITERAL or (op is sre.IN and len(arg) <= 8 and all(item[0] is sre.LITERAL for item in arg))
        if (op is sre.SUBPATTERN and _is_fixed(list(arg[3]))) or (op is sre.BRANCH and all(_is_fixed(list(b)) for b in arg[1])):
            fixed = True
        if op in (sre.AT, sre.ASSERT_NOT, sre.ASSERT):
            continue
        if not fixed:
            break
        kept.append((op, arg))
    return re.compile(_emit(kept, 0).encode("ascii"), re.IGNORECASE if rule.ignore_case else 0)


def _is_fixed(nodes: list[Node]) -> bool:
    return all(
        op is sre.LITERAL
        or (op is sre.SUBPATTERN and _is_fixed(list(arg[3])))
        or (op is sre.BRANCH and all(_is_fixed(list(branch)) for branch in arg[1]))
        for op, arg in nodes
    )


def _find_group(parsed: Any, part: str) -> list[Node]:
    groups = parsed.state.groupdict
    wanted = groups.get(part)
    if wanted is None:
        return list(parsed) if not groups else []

    def search(nodes: list[Node]) -> list[Node] | None:
        for op, arg in nodes:
            if op is sre.SUBPATTERN:
                if arg[0] == wanted:
                    return list(arg[3])
                bodies = [arg[3]]
            elif op in _REPEATS:
                bodies = [arg[2]]
            elif op is sre.BRANCH:
                bodies = arg[1]
            else:
                continue
            for body in bodies:
                found = search(list(body))
                if found is not None:
                    return found
        return None

    return search(list(parsed)) or []


def nested_repeat(rule: Rule) -> bool:
    """Whether the pattern repeats something that itself varies in length without bound: the shape that backtracks exponentially."""

    def varies(nodes: list[Node]) -> bool:
        for op, arg in nodes:
            if op in _REPEATS and (arg[1] is sre.MAXREPEAT or arg[1] - arg[0] > 8):
                return True
            bodies = [arg[3]] if op is sre.SUBPATTERN else arg[1] if op is sre.BRANCH else []
            if any(varies(list(body)) for body in bodies):
                return True
        return False

    def search(nodes: list[Node]) -> bool:
        for op, arg in nodes:
            if op in _REPEATS:
                body = list(arg[2])
                if (arg[1] is sre.MAXREPEAT or arg[1] > 8) and varies(body):
                    return True
                if search(body):
                    return True
            bodies = [arg[3]] if op is sre.SUBPATTERN else arg[1] if op is sre.BRANCH else []
            if any(search(list(body)) for body in bodies):
                return True
        return False

    return search(list(parse(rule.pattern, rule)))
