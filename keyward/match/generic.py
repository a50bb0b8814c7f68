"""Signals for values that nothing but their name gives away.

Each looks at one thing: how random the characters are, whether they read as words, whether the value is of a form that
is never a credential (a path, a version, a type), what the name says, and which file it is. Their weights are added to
the rule's score of about 45, so that a random token stays above 50 wherever it stands, a strong password stays above 50
where configuration is kept, and words, identifiers and paths fall below.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from keyward.model.finding import Signal

if TYPE_CHECKING:
    from keyward.match.judge import Context

_remembered = lru_cache(maxsize=512)
"""Several signals ask the same of one value, and the same few values stand in thousands of places."""

_COMMON_PAIRS = (
    "in er re te es at on en ti ed st le co ar de se nt al or ng me et li ra it di ec ta an ne ri tr nd pe io ac is lo ma pa la ro "
    "ca ct un ce na ge si ea th il ns fi ve pr am as ic ts ex to ch el ss rs mp ll nc he om od op po rt pl ou im em ut ad ha su oc "
    "no ur ep mo ol ck ap mi ul ab ni os ly ir cl ai id bl ho sp ot ie pt ef fo us sh rm ig tt ke va da ow do ff ia ee pi um if ls "
    "so sc ag iv ds cr hi tu pp ty ze up fr ba lt ip ev iz rd oo rr cu qu rc be tc nf ib wa bu wi ry sa xt ci ld fe bi vi ub"
)
_BIGRAMS = frozenset(_COMMON_PAIRS.split())
"""The pairs of letters that make up nearly nine tenths of the words in English text and program code; of random letters a quarter."""

_HEX = re.compile(rb"(?:0x)?[0-9a-fA-F]+\Z")
_UUID = re.compile(rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_NAME = re.compile(
    rb"([A-Za-z0-9_$.\-]{1,80})[\"'`]?\]?[\"'`]?(?:[ \t]{0,2}:?[ \t]{1,2}[A-Za-z][\w.]{0,20})?[ \t]{0,4}(?::=|=>|[:=,>]|[ \t])[ \t]{0,4}[rbuf@]?[\"'`]?\Z"
)
_PIECES = re.compile(rb"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

_NOT_A_SECRET_TAIL = frozenset(
    b"field fields name names url uri path file filename dir type types kind id ids hash hashes hashed digest label title text message "
    b"messages msg error errors help hint prompt placeholder regex regexp pattern format length len size min max header headers "
    b"param params parameter prefix suffix endpoint expiry expires expiration expired lifetime ttl age timeout policy strength "
    b"validator validators encoder encoding algorithm alg method class classes provider store manager service handler factory "
    b"reset change changed confirm confirmation confirmed required enabled disabled input selector xpath element button form page "
    b"view template link column table arn ref reference version count index position start end line location scope scopes "
    b"status state mode env var variable source description desc rule rules limit usage review info ring fingerprint algo "
    b"strategy authenticator checker hasher renderer lexer parser tokenizer style color icon image api apis set list map".split()
)
_NOT_A_SECRET_END = (b"type", b"field", b"name", b"url", b"path", b"file", b"hash", b"label", b"text", b"length", b"header")
_NOT_A_SECRET_HEAD = frozenset(
    b"next page continuation pagination nextpage previous prev sync cursor csrf xsrf public publishable pub site primary foreign "
    b"partition sort cache row column group index lookup bos eos pad sep cls unk mask special stop begin token2 num max min lexer "
    b"word sub unknown idempotency client_request no has is use get set show hide forgot reset invalid missing wrong bad "
    b"verification starting change update purchase lock consumption snapshot copyproduct paging".split()
)
_SECRET_WORDS = re.compile(
    rb"pass(?:word|wd|phrase|code)?|pwd|secret|token|api|key|credential|auth|login|user|admin|value|string|test|default|none|null|"
    rb"here|some|my|client|access|private|public|the|new|old|id|db|name|this|is|a|enter|type|bearer|basic|abc|123"
)
_TYPES = frozenset(
    b"string str bytes bytearray int integer number float bool boolean object array list dict none null nil undefined true false "
    b"optional required any void char varchar text json password secret token required! string! optional[str] textfield "
    b"charfield passwordfield securestring secretstr required? string? enabled disabled unknown default inherit inherited".split()
)
_PATH = re.compile(
    rb"(?:[a-zA-Z]:[\\/]|~?/|\.{1,2}/)|.*\.(?:py|js|ts|json|ya?ml|txt|pem|key|crt|cer|p12|jks|html?|xml|conf|cfg|env|md|sh|go|rb|java|php|log|toml|ini|css|svg|png)\Z",
    re.DOTALL,
)
_SLUGS = re.compile(rb"[a-z]+(?:[-_.][a-z]+|[-_.][0-9]{1,4})*(?:/[a-z]+(?:[-_.][a-z]+|[-_.][0-9]{1,4})*)+\Z")
_URL = re.compile(rb"[a-zA-Z][a-zA-Z0-9+.-]{1,20}:(?://|[a-z])")
_NUMBERS = re.compile(rb"v?\d+(?:[.:/_-]\d+)*(?:[TZz+ .:-][\dA-Za-z.:+-]{0,20})?\Z")
_MAIL = re.compile(rb"[\w.+-]+@[\w-]+(?:\.[\w-]+)+\Z")
_DOTTED = re.compile(rb"\$?[A-Za-z_][A-Za-z0-9_]*(?:(?:\.|::|->|\?\.)[A-Za-z_][A-Za-z0-9_]*)+\Z")
_MARKUP = re.compile(
    rb"%[sdrv(]|\{\}|\{\w*\}|<\w|</|\[\^|\\[dws]|\(\?|&[a-z]+;|^[#.*:\[][\w-]+$|^\(|\$\w+\b.*\$\w|\.\.\.|^[^\w]{3,}$|\w\(|^--?\w|^@\w+$|\|\|"
)
_SYNTAX = re.compile(rb"\(\?|\[[a-zA-Z]-[a-zA-Z]|\]\{|\]\+|\$\{|\{\{|^(?:varint|bytes|fixed\d\d|group),\d+,|#\{")
_HASH_CONTEXT = re.compile(rb"(?i:md5|sha\d|sha_?\d|checksum|digest|fingerprint|etag|integrity|revision|commit|blob|hash)")

_CONFIG = re.compile(
    r"(?:^|/)(?:\.env(?:\.[\w-]+)?|[\w.-]*\.env|\.?(?:npmrc|pypirc|netrc|pgpass|s3cfg|boto|dockercfg|envrc)|credentials|[\w.-]*(?:compose|values|secrets?|credentials?|settings|config)[\w.-]*\.(?:ya?ml|json|toml|ini|properties|tfvars))$|\.(?:ini|cfg|conf|cnf|properties|ya?ml|toml|tfvars|tfstate|config|plist|env)$|_history$"
)
_CODE = re.compile(
    r"\.(?:py|pyi|pyx|js|jsx|ts|tsx|mjs|cjs|go|rs|java|kt|kts|scala|c|h|cc|cpp|hpp|cs|rb|php|swift|m|pl|pm|lua|ex|exs|erl|dart|vue|svelte|r|jl|hs|clj|vb|pas|sol|gradle|groovy|pyc)$"
)
_PROSE = re.compile(
    r"\.(?:md|rst|txt|adoc|html?|tex|org|mdx)$|(?:^|/)(?:docs?|documentation|man)/|(?:^|/)(?:readme|changelog|changes|license|metadata|news)[\w.]*$"
)
_TRANSLATION = re.compile(
    r"(?:^|/)(?:i18n|l10n|locales?|translations?|lang|languages?)/|\.(?:po|pot|mo|resx|strings|arb|xlf|xliff)$|messages[\w.-]*\.(?:properties|json)$"
)
_LOCK = re.compile(
    r"(?:^|/)(?:[\w.-]*lock(?:\.json|\.ya?ml|file)?|[\w.-]*\.lock|package-lock\.json|go\.sum|record|pnpm-lock\.yaml|[\w.-]*\.sum|\.secrets\.baseline|checksums[\w.]*)$"
)
_MINIFIED = re.compile(
    r"\.min\.(?:js|css)$|\.(?:map|bundle\.js|chunk\.js|css|svg|ipynb_checkpoints)$|(?:^|/)(?:dist|vendor|node_modules|bower_components)/"
)
_BINARY = re.compile(r"\.(?:pyc|pyo|so|dll|exe|o|a|class|jar|whl|dylib|pyd|bin|db|parquet|pickle|pkl|wasm)$")
_SCHEMA = re.compile(
    r"(?:service-\d|paginators-\d|waiters-\d|examples-\d|endpoint-rule|swagger|openapi|schema)[\w.-]*\.(?:json|ya?ml)(?:\.gz)?$"
)


@_remembered
def entropy(value: bytes) -> float:
    """Shannon entropy in bits per character."""
    size = len(value)
    return -sum(n / size * math.log2(n / size) for n in (value.count(c) for c in set(value))) if size else 0.0


@_remembered
def wordlike(value: bytes) -> float:
    """The share of adjacent letters that are common in words; 1.0 for no letters at all would mislead, so that is 0."""
    pairs = 0
    common = 0
    for word in _PIECES.findall(value):
        letters = word.decode("ascii").lower()
        if letters.isdigit():
            continue
        pairs += max(1, len(letters) - 1)
        common += sum(a + b in _BIGRAMS for a, b in pairwise(letters)) if len(letters) > 1 else 0
    return common / pairs if pairs else 0.0


@_remembered
def classes(value: bytes) -> int:
    """How many of lower case, upper case, digits and others occur."""
    return sum((any(97 <= c <= 122 for c in value), any(65 <= c <= 90 for c in value), any(48 <= c <= 57 for c in value),
                any(not (48 <= c <= 57 or 65 <= c <= 90 or 97 <= c <= 122) for c in value)))  # fmt: skip


@_remembered
def transitions(value: bytes) -> float:
    """How often the class of the character changes from one to the next, per character; random text changes often."""

    def group(c: int) -> int:
        return 0 if 97 <= c <= 122 else 1 if 65 <= c <= 90 else 2 if 48 <= c <= 57 else 3

    return sum(group(a) != group(b) for a, b in pairwise(value)) / max(1, len(value) - 1)


@_remembered
def _digits(value: bytes) -> int:
    return sum(48 <= c <= 57 for c in value)


@_remembered
def is_random(value: bytes) -> bool:
    """Whether 16 characters or more look drawn by a machine: no words, digits among letters, no character too often."""
    if len(value) < 16 or _UUID.match(value):
        return False
    if _HEX.match(value):
        return entropy(value) >= 3.0 and 0 < _digits(value) < len(value)
    if not _digits(value):
        return (
            len(value) >= 20
            and entropy(value) >= 3.7
            and (wordlike(value) < 0.36 or (wordlike(value) < 0.42 and transitions(value) > 0.25))
        )
    return entropy(value) >= 3.3 and wordlike(value) < 0.55 and (transitions(value) > 0.22 or _digits(value) >= len(value) // 6)


def random_token(context: Context) -> Signal | None:
    """A value that a machine has drawn. Its length is what tells it from a password."""
    value = context.value
    if not is_random(value) or _DOTTED.match(value):
        return None
    return Signal("random", 25 if len(value) >= 20 else 15, f"{entropy(value):.1f} bits per character")


def strong_password(context: Context) -> Signal | None:
    """A shorter value of several classes that is no word with a capital and no name with a number."""
    value = context.value
    if is_random(value) or len(value) < 8 or _UUID.match(value):
        return None
    count = classes(value)
    mixed = _digits(value) and count >= 3 and transitions(value) >= 0.2
    if not mixed or _word_share(value) >= 0.85:
        return None
    return Signal("password", 15 if count == 4 or wordlike(value) < 0.45 else 10, f"{count} classes of characters")


def few_classes(context: Context) -> Signal | None:
    """Letters alone, or digits alone, are rarely a credential."""
    value = context.value
    if is_random(value):
        return None
    if not _digits(value):
        return Signal("letters only", -25 if classes(value) < 3 or wordlike(value) >= 0.5 else -10)
    return Signal("few classes", -10) if classes(value) < 3 else None


@_remembered
def _word_share(value: bytes) -> float:
    """The share of the value that belongs to words of three letters or more."""
    inside = sum(
        len(word) for word in _PIECES.findall(value) if len(word) >= 3 and not word.isdigit() and wordlike(word) >= 0.5
    )
    return inside / len(value) if value else 0.0


def words(context: Context) -> Signal | None:
    """The value reads as words: an identifier, a phrase with dashes, a heading."""
    value = context.value
    if is_random(value):
        return None
    share = _word_share(value)
    if share >= 0.75:
        return Signal("words", -35, "reads as words")
    return Signal("words", -15, "reads as words in part") if share >= 0.55 and classes(value) < 4 else None


def low_entropy(context: Context) -> Signal | None:
    value = context.value
    return Signal("entropy", -25, f"{entropy(value):.1f} bits per character") if entropy(value) < 2.4 else None


def type_or_constant(context: Context) -> Signal | None:
    lowered = context.value.lower().rstrip(b",;")
    return Signal("type", -60, "a type or a constant") if lowered in _TYPES else None


def identifier(context: Context) -> Signal | None:
    """A dotted path, a reference in code: `settings.DB_PASSWORD`."""
    value = context.value
    if _DOTTED.match(value) and not is_random(max(re.split(rb"\.|::|->", value), key=len)):
        return Signal("identifier", -40, "a path of names")
    return None


def path_or_url(context: Context) -> Signal | None:
    value = context.value
    if _URL.match(value):
        return Signal("url", -60, "a URL")
    if _PATH.match(value) and (value.count(b"/") + value.count(b"\\") >= 2 or not is_random(value)):
        return Signal("path", -45, "a path")
    if _SLUGS.match(value):
        return Signal("path", -45, "words between slashes")
    pieces = value.split(b"/")
    plain = sum(wordlike(p) >= 0.45 or len(p) < 4 for p in pieces)
    if len(pieces) > 1 and (plain == len(pieces) or (len(pieces) > 3 and plain >= 0.7 * len(pieces))):
        return Signal("path", -35, "words between slashes")
    return None


def number_or_date(context: Context) -> Signal | None:
    value = context.value
    if _NUMBERS.match(value) and not is_random(value):
        return Signal("number", -45, "a number, version or date")
    return Signal("mail", -45, "a mail address") if _MAIL.match(value) else None


def uuid(context: Context) -> Signal | None:
    return Signal("uuid", -10, "a UUID, which is more often an id") if _UUID.match(context.value) else None


def markup(context: Context) -> Signal | None:
    """Templates, selectors, regular expressions, calls."""
    if b"..." in context.value or b"\xe2\x80\xa6" in context.value:
        return Signal("markup", -60, "cut short")
    if _SYNTAX.search(context.value):
        return Signal("markup", -60, "an expression or a description of a field")
    found = _MARKUP.search(context.value)
    return Signal("markup", -40, "a template, selector, expression or call") if found and not is_random(context.value) else None


def _name_words(context: Context) -> list[bytes]:
    """The words of the name that the value is assigned to, in lower case."""
    return _words_of_name(context.before[-110:])


@lru_cache(maxsize=512)
def _words_of_name(before: bytes) -> list[bytes]:
    found = _NAME.search(before)
    return [word.lower() for word in _PIECES.findall(found.group(1))] if found else []


def says_its_name(context: Context) -> Signal | None:
    """`password = "password"`, `api_key: my-api-key`, `token = new_token`."""
    value = context.value.lower()
    name = _name_words(context)
    plain = re.sub(rb"[^a-z0-9]", b"", value)
    if name and plain and (plain == b"".join(name) or plain in name):
        return Signal("name", -60, "says its own name")
    rest = _SECRET_WORDS.sub(b"", plain)
    if len(rest) <= max(1, len(plain) // 5):
        return Signal("name", -50, "made of words for credentials")
    return Signal("name", -15, "holds a word for credentials") if re.search(rb"passw|secret|token|api_?key", value) else None


def name_of_something_else(context: Context) -> Signal | None:
    """`token_url`, `password_field`, `next_token`, `public_key`: the name's last or first word says that this is no secret."""
    name = _name_words(context)
    if not name:
        return None
    if re.search(rb"(?:::|/)[\w.-]+[\"'`]", context.before):
        return Signal("name", -35, "the name is that of a type or a path")
    if (len(name) > 1 and name[-1] in _NOT_A_SECRET_TAIL) or name[-1].endswith(_NOT_A_SECRET_END):
        return Signal("name", -40, "the name is that of something else")
    if any(word in _NOT_A_SECRET_HEAD for word in name[:-1]):
        return Signal("name", -30, "the name is that of something else")
    return Signal("name", -30, "a plural") if name[-1] in (b"tokens", b"passwords", b"secrets", b"keys", b"tokenizer") else None


def hash_or_id(context: Context) -> Signal | None:
    """Hexadecimal digits near a word for a digest."""
    if _HEX.match(context.value) and _HASH_CONTEXT.search(context.before):
        return Signal("hash", -40, "a digest")
    if re.search(rb"(?:%2F|/)aws4_request", context.value):
        return Signal("hash", -60, "the scope of a signature")
    if re.match(rb"(?:sha\d{1,3}|md5)[:-]|\$(?:2[aby]|apr1|argon2|5|6|y)\$|pbkdf2|scrypt[:$]|\{SS?HA", context.value):
        return Signal("hash", -40, "a digest")
    return None


@lru_cache(maxsize=64)
def _is_code(path: str) -> bool:
    return _CODE.search(path) is not None


def bare_in_code(context: Context) -> Signal | None:
    """Without quotes, in a program, a value is a name or a call."""
    if (
        _is_code(context.path)
        and not context.before.endswith((b'"', b"'", b"`"))
        and not context.after.startswith((b'"', b"'"))
    ):
        return Signal("bare", -40, "not quoted, in program code")
    return None


def prose_around(context: Context) -> Signal | None:
    """The line goes on after a bare value, or a sentence stands before it."""
    quoted = context.before.endswith((b'"', b"'", b"`", b">"))
    if not quoted and re.match(rb"[ \t]+[A-Za-z]{2,}[ ,.]", context.after):
        return Signal("prose", -20, "stands in a sentence")
    return Signal("prose", -15, "stands in a sentence") if re.search(rb"(?:[a-z]{2,} ){4}", context.before) else None


def kind_of_file(context: Context) -> Signal | None:
    return _file_signal(context.path)


def path_facts(path: str) -> tuple[bool, Signal | None]:
    """All that these signals make of a path."""
    return _is_code(path), _file_signal(path)


@lru_cache(maxsize=64)
def _file_signal(path: str) -> Signal | None:
    for expression, weight, what in _FILES:
        if expression.search(path):
            return Signal("file", weight, what)
    return None


_FILES = (
    (_LOCK, -60, "a lock file or a list of checksums"),
    (_BINARY, -40, "a compiled or binary file"),
    (_TRANSLATION, -40, "a translation"),
    (_MINIFIED, -25, "a minified or vendored file"),
    (_SCHEMA, -30, "a description of an interface"),
    (_PROSE, -10, "documentation"),
    (_CONFIG, 10, "a file for settings"),
)

GENERIC_SIGNALS: tuple[Callable[[Context], Signal | None], ...] = (
    # those that are cheap and most often decide against come first: judging stops where the rest cannot change the outcome
    type_or_constant, bare_in_code, kind_of_file, name_of_something_else, says_its_name, identifier, path_or_url, markup,
    number_or_date, hash_or_id, uuid, prose_around, random_token, strong_password, few_classes, words, low_entropy,
)  # fmt: skip
