"""What the packs of model and agent vendors share: names that give a value away, and samples in the places where it is left."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from keyward.plugin import Companion, Kind, Manual, Parts, Rule, Signal
from keyward.plugin.shapes import Piece, Shape, assigned, concat, json_member, part, text

from ._forms import OTHER_FORMS, random_looking, written

Check = Callable[[Parts], Signal | None]

LEFT = rb"(?<![A-Za-z0-9])"
EDGE = rb"(?![A-Za-z0-9_-])"

_BETWEEN = rb"[a-z0-9_./-]{0,24}[\"']?\s{0,4}[:=,]?\s{0,4}\{?\s{0,24}[\"']?(?:type[\"']?\s?:\s?[\"']api(?:_key)?[\"'],\s{0,24}[\"']?)?"
"""From a vendor's name to the word `key`: the rest of the name, or the object or URL that the vendor's name stands for."""

_BIND = (
    rb"(?:\\?[\"'`])?\]?"
    rb"(?:[ \t]{0,20}(?::=|=>|\|\||\?\?|[:=,]|[ \t])[ \t]{0,20}|,?\s{1,24}[\"']?value[\"']?\s{0,2}[:=]\s{0,4}|" + OTHER_FORMS + rb")"
    rb"(?:\\?[\"'`])?(?:(?:Bearer|Token|Key|Api-Key) )?"
)
"""From a name to its value: `NAME=`, `"name": "`, `name => '`, `["NAME"] = "`, `NAME || "`, `- name: NAME` with `value:`."""


def key_of(vendor: bytes) -> bytes:
    """An expression for names such as `VENDOR_API_KEY`, `vendorApiKey`, `"vendor": {"apiKey"`. In lower case, matched in any."""
    return vendor + _BETWEEN + rb"(?:api|access|auth|user|project)?[_. -]?(?:key|token|secret)(?:[_-][a-z0-9]{1,12})?"


def named(name: bytes, body: bytes, *, left: bytes = b"", edge: bytes = EDGE) -> bytes:
    """A pattern for `body` assigned to a name."""
    before, secret, after = named_parts(name, body, left=left, edge=edge)
    return before + rb"(?P<secret>" + secret + rb")" + after


def named_parts(name: bytes, body: bytes, *, left: bytes = b"", edge: bytes = EDGE) -> tuple[bytes, bytes, bytes]:
    """The same in three pieces: what stands before the secret, the secret, what may not follow."""
    return written(left) + rb"(?i:" + written(name) + rb")" + _BIND, body, edge


def prefixed(body: bytes, *, left: bytes = LEFT, edge: bytes = EDGE) -> bytes:
    """A pattern for `body` that stands alone."""
    return left + rb"(?P<secret>" + body + rb")" + edge


def replace(url: str, *steps: str) -> Manual:
    """The usual way to replace a key by hand: new, switch over, delete."""
    return Manual(steps or ("Create a new key on the page.", "Update what uses the old one.", "Delete the old key there."), url)


def mixed(weight: int = -40) -> Check:
    """A check that lowers what lacks a digit or one of the two cases: an identifier, a slug, a word."""

    def check(parts: Parts) -> Signal | None:
        return None if random_looking(parts["secret"][3:]) else Signal("shape", weight, "lacks a case or a digit")

    return check


def has_digit(parts: Parts) -> Signal | None:
    """Lowers a value without any digit: most likely a word or an identifier."""
    value = parts["secret"]
    return None if any(48 <= c <= 57 for c in value) else Signal("shape", -25, "has no digit")


def prefixed_rule(
    kind: Kind,
    pattern: bytes,
    value: Shape,
    name: str,
    host: str,
    misses: Iterable[Piece],
    *,
    rule_id: str = "",
    score: int = 75,
    check: Check | None = None,
    companions: Iterable[Companion] = (),
    header: str = "Authorization: Bearer ",
    window: int = 600,
) -> Rule:
    """A rule for a value with a prefix of its own; `misses` are assigned to the same name."""
    return Rule(
        rule_id or str(kind),
        kind,
        pattern,
        score=score,
        check=check,
        companions=companions,
        window=window,
        examples=(
            assigned(name, value),
            json_member(name, value),
            text("curl -s https://", host, " -H '", header, part("secret", value), "'\n"),
        ),
        near_misses=tuple(assigned(name, miss) for miss in misses),
    )


def named_rule(
    kind: Kind,
    pattern: bytes,
    value: Shape,
    name: str,
    misses: Iterable[Piece],
    *,
    rule_id: str = "",
    score: int = 60,
    check: Check | None = None,
    companions: Iterable[Companion] = (),
    other_name: str = "BUILD_REVISION",
) -> Rule:
    """A rule for a value that its name gives away; the same value under `other_name`, if any, is a near miss too."""
    return Rule(
        rule_id or f"{kind}-by-name",
        kind,
        pattern,
        score=score,
        check=check,
        companions=companions,
        examples=(
            assigned(name, value),
            assigned(name, value, form='"{name}": "{value}",\n'),
            assigned(name, value, form='os.environ["{name}"] = "{value}"\n'),
            assigned(name, value, form="  - name: {name}\n    value: {value}\n"),
        ),
        near_misses=(*(assigned(name, miss) for miss in misses), *([assigned(other_name, value)] if other_name else [])),
    )


def beside(
    kind: Kind,
    rule_id: str,
    host: tuple[str, bytes, str],
    value: tuple[bytes, bytes, bytes],
    examples: tuple[Iterable[Shape], Iterable[Shape]],
    near_misses: Iterable[Shape],
    score: int = 70,
) -> tuple[Rule, Rule]:
    """Two rules for a value that stands after, or before, its vendor's host: no `}` and no further address or value between.

    `host`: the part's name, the pattern, and what ends the search for the value. `value`: what stands before the secret, the
    secret, and what stands after it. `examples`: with the host first, with the host last.
    """
    part_name, host_pattern, stop = host
    before, secret, after = value
    where = rb"(?P<" + part_name.encode() + rb">" + host_pattern + rb")(?![A-Za-z0-9-])"
    what = before + rb"(?P<secret>" + secret + rb")" + after
    gap = rb"(?:(?!" + stop.encode() + rb")[^}]){0,250}?"
    address = rb"(?:https?://[^\s/\"'`]{0,60}?)?"
    first, last = (tuple(shapes) for shapes in examples)
    misses = tuple(near_misses)
    return (
        Rule(f"{rule_id}-after-url", kind, where + gap + what, anchor=before + secret, score=score, examples=first, near_misses=misses),
        Rule(f"{rule_id}-before-url", kind, what + gap + address + where, anchor=before + secret, score=score - 2, examples=last, near_misses=misses),
    )


def by_url_rules(
    kind: Kind, body: bytes, value: Shape, host: str, host_pattern: bytes, misses: Iterable[Piece]
) -> tuple[Rule, Rule]:
    """Rules for a shape that several vendors share: the vendor's base URL beside it decides."""
    url, secret = part("base_url", host), part("secret", value)
    return beside(
        kind, f"{kind}", ("base_url", host_pattern, r"https?://|(?<![A-Za-z0-9])sk-[A-Za-z0-9]{20}"), (LEFT, body, EDGE),
        (
            (
                concat("base_url: https://", url, "/v1\napi_key: ", secret, "\n"),
                concat("curl https://", url, "/v1/models -H 'Authorization: Bearer ", secret, "'\n"),
                concat('x: { baseUrl: "https://', url, '", apiKey: "', secret, '" },\ny: { baseUrl: "https://api.example.org" }\n'),
            ),
            (
                concat("OPENAI_API_KEY=", secret, "\nOPENAI_BASE_URL=https://", url, "\n"),
                concat('client = OpenAI(api_key="', secret, '", base_url="https://', url, '")\n'),
                concat('{"apiKey": "', secret, '",\n "baseURL": "https://', url, '/v1"}\n'),
            ),
        ),
        (
            *(concat("base_url: https://", host, "/v1\napi_key: ", miss, "\n") for miss in misses),
            concat("base_url: https://api.example.org/v1\napi_key: ", value, "\n"),
            concat('{"baseUrl": "https://', host, '"}, {"apiKey": "', value, '"}\n'),
        ),
    )  # fmt: skip
