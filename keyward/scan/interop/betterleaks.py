"""What betterleaks adds to gitleaks' format, as far as it is patterns: the expressions of `prefilter` and `filter`.

An expression that is true lets a finding pass. It is taken apart at `||` and `&&`; a part is translated if it is one of

    matchesAny(WHERE, [patterns])    !matchesAny(…)    containsAny(WHERE, [words])    entropy(finding.secret) <= 3.5

with WHERE one of `finding["secret"]`, `finding.match`, `finding["line"]`, `attributes["path"]` in any of the spellings of versions 1 and 2 (CEL
and Expr; `filter.` may stand before a function). Of `a || b` what cannot be translated is left out, of `a && b` nothing is used then: either way
fewer findings pass than there, not more. Calls of providers, tokenizers and source metadata have no translation. Source: docs/config.md and
docs/v2_migration.md of betterleaks 1.9 and 2.0.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from keyward.scan.interop.translated import LINE, MATCH, SECRET, Allowlist, Test

LONGEST = 200_000
DEEPEST = 30
MOST_PARTS = 1_000

_TOKEN = re.compile(
    r"""\s*(?:(?P<skip>//[^\n]*)|(?P<text>r?\"\"\"[\s\S]*?\"\"\"|r?'''[\s\S]*?'''|`[^`]*`|r?"(?:[^"\\\n]|\\.)*"|r?'(?:[^'\\\n]|\\.)*')"""
    r"""|(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<mark>\|\||&&|<=|>=|==|!=|\?\.|\?\?|[-()\[\].,!?:{}<>+*/%;=]))"""
)
_WHERE = {
    "finding.secret": SECRET, "finding.match": MATCH, "finding.line": LINE, "secret": SECRET, "attributes.path": "path",
}  # fmt: skip
_FUNCTIONS = {
    "failsTokenEfficiency": "the tokenizer that failsTokenEfficiency needs is not part of keyward",
    "tokenRatio": "the tokenizer that tokenRatio needs is not part of keyward",
}


class Filtered(NamedTuple):
    """`entropy`: what the secret must exceed, 0 where nothing is said."""

    allowlists: list[Allowlist]
    entropy: float
    untranslated: list[str]


class _Token(NamedTuple):
    """`what`: `text` (with its value), `number`, `name` or `mark`."""

    what: str
    value: str


class _Unread(ValueError):
    """A part of an expression that has no translation."""


def allowlists_of(text: str, name: str) -> Filtered:
    """The allowlists that an expression comes to; what of it does not is described."""
    if len(text) > LONGEST:
        return Filtered([], 0.0, ["the expression is too long"])
    try:
        tokens = _tokens(text)
    except _Unread as error:
        return Filtered([], 0.0, [str(error)])
    allowlists: list[Allowlist] = []
    untranslated: list[str] = []
    entropy = 0.0
    for part in _alternatives(tokens, 0):
        try:
            tests = _all_of(part, 0)
        except _Unread as error:
            untranslated.append(str(error))
            continue
        if len(tests) == 1 and tests[0].what == "entropy":
            entropy = max(entropy, tests[0].most)  # as gitleaks' own `entropy`: what has less is not even a match
        else:
            allowlists.append(Allowlist(name, tuple(tests), every=True))
    return Filtered(allowlists, entropy, list(dict.fromkeys(untranslated)))


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            if not text[at:].strip():
                break
            raise _Unread("the expression cannot be read")
        at = found.end()
        if found["text"] is not None:
            tokens.append(_Token("text", _unquoted(found["text"])))
        elif found.lastgroup != "skip":
            tokens.append(_Token(found.lastgroup or "", found[found.lastgroup or 0]))
    return tokens


def _unquoted(text: str) -> str:
    raw = text.startswith(("r", "`"))
    text = text.removeprefix("r")
    quote = text[:3] if text[:3] in ('"""', "'''") else text[:1]
    inner = text[len(quote) : -len(quote)]
    if raw:
        return inner
    escapes = {"n": "\n", "t": "\t", "r": "\r"}
    return re.sub(r"\\(.)", lambda found: escapes.get(found[1], found[1]), inner, flags=re.DOTALL)


def _split(tokens: list[_Token], mark: str) -> list[list[_Token]]:
    """The parts between the marks that stand in no brackets."""
    parts: list[list[_Token]] = [[]]
    depth = 0
    for token in tokens:
        if token.what == "mark":
            depth += (token.value in "([{") - (token.value in ")]}")
            if token.value == mark and not depth:
                parts.append([])
                continue
        parts[-1].append(token)
    return parts


def _bare(tokens: list[_Token]) -> list[_Token]:
    """Without brackets around the whole."""
    while len(tokens) > 1 and tokens[0].value == "(" and tokens[0].what == "mark" and _closing(tokens, 0) == len(tokens) - 1:
        tokens = tokens[1:-1]
    return tokens


def _closing(tokens: list[_Token], start: int) -> int:
    depth = 0
    for index in range(start, len(tokens)):
        if tokens[index].what == "mark":
            depth += (tokens[index].value in "([{") - (tokens[index].value in ")]}")
            if not depth:
                return index
    return -1


def _alternatives(tokens: list[_Token], depth: int) -> list[list[_Token]]:
    """The parts of which one is enough."""
    tokens = _bare(tokens)
    parts = _split(tokens, "||")
    if len(parts) == 1 or depth >= DEEPEST:
        return [tokens] if tokens else []
    return [each for part in parts for each in _alternatives(part, depth + 1)][:MOST_PARTS]


def _all_of(tokens: list[_Token], depth: int) -> list[Test]:
    """The tests that must all hold. Raises _Unread."""
    parts = _split(_bare(tokens), "&&")
    if len(parts) == 1:
        return [_test(_bare(tokens))]
    if depth >= DEEPEST:
        raise _Unread("the expression is nested too deeply")
    return [test for part in parts for test in _all_of(part, depth + 1)]


def _test(tokens: list[_Token]) -> Test:
    if len(_split(tokens, "||")) > 1:
        raise _Unread("`||` inside of `&&` has no translation; write the parts out")
    if tokens and tokens[0] == _Token("mark", "!"):
        inner = _test(_bare(tokens[1:]))
        if inner.what == "entropy":
            raise _Unread("of entropy only that of the secret, below a number, has a translation")
        return inner._replace(negated=not inner.negated)
    if [token.value for token in tokens[:2]] == ["filter", "."]:
        tokens = tokens[2:]
    name = tokens[0].value if tokens and tokens[0].what == "name" else ""
    if name in _FUNCTIONS:
        raise _Unread(_FUNCTIONS[name])
    end = _closing(tokens, 1) if len(tokens) > 1 and tokens[1].value == "(" else -1
    if name not in ("matchesAny", "containsAny", "entropy") or end < 0:
        raise _Unread("only matchesAny, containsAny and entropy have a translation")
    arguments = _split(tokens[2:end], ",")
    rest = tokens[end + 1 :]
    where = _where(arguments[0])
    if name == "entropy":
        if where != SECRET or len(rest) != 2 or rest[0].value not in ("<", "<=") or rest[1].what != "number":
            raise _Unread("of entropy only that of the secret, below a number, has a translation")
        most = float(rest[1].value)
        return Test("entropy", SECRET, (), most if rest[0].value == "<=" else math.nextafter(most, 0.0))
    values = tuple(token.value for token in arguments[-1] if token.what == "text")
    if rest or not values or any(token.what not in ("text", "mark") for token in arguments[-1]):
        raise _Unread("a list that is computed has no translation")
    if name == "containsAny":
        values = tuple(re.escape(value) for value in values)
    return Test("paths" if where == "path" else "regexes", "" if where == "path" else where, values)


def _where(tokens: list[_Token]) -> str:
    """What a function looks at: `finding["secret"]`, `attributes[?"path"].orValue("")`, `get(attributes, "path", "")`, …"""
    words = [token.value for token in tokens if token.what in ("name", "text") and token.value not in ("get", "orValue", "")]
    where = _WHERE.get(".".join(words))
    if where is None:
        raise _Unread("only the secret, the match, the line and the path can be looked at")
    return where
