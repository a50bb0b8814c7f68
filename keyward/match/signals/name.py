"""What the name says that the value is assigned to."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from keyward.model.finding import Signal
from keyward.plugin.letters import PIECES, UUID, digits, is_drawn, is_random

if TYPE_CHECKING:
    from keyward.match.judge import Context

_NAME = re.compile(
    rb"([A-Za-z0-9_$.\-\x80-\xff]{1,80})[\"'`]?[\])]?[\"'`]?(?:[ \t]{0,2}:[ \t]{0,2}&?[A-Za-z][\w.<>\[\]]{0,24}|[ \t](?:As )?(?:[Ss]tring|str))?[*_]{0,2}[ \t]{0,4}(?:===?|!==?|[?:+]=|=>|\|\||\?[?:]|or(?=[ \t])|[:=,>(]|[ \t])"
    rb"[*_]{0,2}[ \t]{0,4}(?:with: )?(?:\[\]byte\(|Some\(|SecretStr\(|<<|Buffer\.from\(|String\()?[rbufNL@]?[\"'`]?\Z"
)
_NAMED = re.compile(
    rb"(?i:name|key)[\"']?\s{0,2}[:=]\s{0,2}[\"']([^\"']{1,80})[\"'],?\s{0,4}[\"']?(?i:value|content)[\"']?\s{0,2}[:=]\s{0,2}[\"']?\Z"
)
"""`<add key="NAME" value="`, `{"name": "NAME", "value": "`: the name is the other one."""
_REFERENCE = re.compile(
    rb"(?:([A-Za-z0-9_.-]{1,80})[\"']?[ \t]{0,2}(?:=|:|=>)[ \t]{0,2}[\"']?)?\$\{([A-Za-z0-9_.-]{1,80}?)(?::?[-=]|:)[\"']?\Z"
)
"""`${NAME:-`, `NAME: ${1:-`: the name of what counts where nothing else is set."""

_ELEMENT = re.compile(rb"<(?:[\w.-]+:)?([\w.-]{1,80})((?:\s[^<>]{0,300})?)>\s{0,20}(?:<[Vv]alue>\s{0,20})?\Z")
_DRESS = re.compile(rb"(?:</[a-z]{1,8}>)?:?[ \t]{0,3}<(?:code|b|strong|tt|kbd|pre|em|i|nowiki|span|td)(?:[ ][^<>\n]{0,120})?>\Z")
_NAME_ATTRIBUTE = re.compile(rb"\b(?:name|key|id)=[\"']([^\"']{1,80})[\"']")
"""`<wsse:Password Type="…">`, `<string name="auth_secret" translatable="false">`."""

_DEFAULT = re.compile(rb"(?<![A-Za-z])(?:[Dd]efault(?:_?[Vv]alue)?|fallback)[\"']?[ \t]{0,8}[:=(][ \t]{0,4}[rbufNL@]?[\"'`]\Z")
_FLAGS = re.compile(rb"(?i)(?:[ \t]+-{1,2}(?:asplaintext|force|plaintext))+[ \t]+(?=[\"']?\Z)")
"""`ConvertTo-SecureString -AsPlainText "`, `rootpw --plaintext `: what stands between says only how the value is written."""

_NAMES = re.compile(rb"[A-Za-z0-9_$.\-]{1,80}")
_AGAIN = frozenset((b"confirm", b"confirmation", b"repeat", b"again"))
_COMPARISONS = frozenset((b"equals", b"ignore", b"case", b"compare", b"to", b"eq", b"eql"))
_NOT_A_SECRET_TAIL = frozenset(
    b"field fields name names url uri path file filename dir type types kind id ids hash hashes hashed digest label title text message "
    b"messages msg error errors help hint prompt placeholder regex regexp pattern format length len size min max header headers "
    b"param params parameter prefix suffix endpoint expiry expires expiration expired lifetime ttl age timeout policy strength "
    b"validator validators encoder encoding algorithm alg method class classes provider store manager service handler factory "
    b"reset change changed confirm confirmation confirmed required enabled disabled input selector xpath element button form page "
    b"view template link column table arn ref reference version count index position start end line location scope scopes "
    b"status state mode env var variable source description desc rule rules limit usage review info ring fingerprint algo "
    b"strategy authenticator checker hasher renderer lexer parser tokenizer style color icon image api apis set list map symbol kinds "
    b"identifier identifiers hints prompts rotation managers mgr realm md sha crc exception error authid keyid tokenid pubkey publickey "
    b"host hosts hostname port address email username".split()
)
_OF_PROGRAMS = frozenset(
    b"actor array assert block bytes cache check child class client column component container content context control count customer data dataset device "
    b"document domain element email entity entry event example extra field filter first float folder format frame function global group guest handle header host image "
    b"index input instance integer invalid issue items label layer layout level library local login machine master member message method model "
    b"module namespace nested node number object offset option order output owner packet panel param parent parse part patch phase point policy port "
    b"process product profile project property proto python query random record region remote request resource response result route sample "
    b"schema scope screen script section sector segment select sender sensor series server service session shape shard simple single slave sleep slot "
    b"socket source space stage standard start state statement stream string struct subject suite symbol system table target task tenant thread timer "
    b"topic trace track trigger tuple update upper usage value vector version video volume widget window worker workspace zone".split()
)
_NOT_A_SECRET_END = (b"type", b"field", b"name", b"url", b"path", b"file", b"hash", b"label", b"text", b"length", b"header")
_NOT_A_SECRET_HEAD = frozenset(
    b"next page continuation pagination nextpage previous prev sync cursor csrf xsrf authenticity public publishable pub site primary foreign "
    b"partition sort cache row column group index lookup bos eos pad sep cls unk mask special stop begin token2 num max min lexer "
    b"word sub unknown idempotency client_request no has is use get set show hide forgot reset invalid missing wrong bad "
    b"verification starting change update purchase lock consumption snapshot copyproduct paging".split()
)
_SECRET_WORDS = re.compile(
    rb"pass(?:word|wd|phrase|wort|code|wrd)?|pwd|secret|token|api|key|credential|auth|login|user|admin|value|string|test(?:ing|er)?|default|none|null|"
    rb"here|some|my|client|access|private|public|the|new|old|id|db|name|this|is|a|enter|type|bearer|basic|abc[de]*|123|"
    rb"demo|hello|world|welcome|letmein|change(?:it|me)|root|guest|super|top|temp|dummy|fake|foo|bar|ba[rz]|asdf|qwerty|wrong|valid|invalid|incorrect|correct|good|"
    rb"bad|other|another|and|word|phrase|real|your?|not|hunter2|session|refresh|signing|shared|long|very|random|kennwort|geheim|senha|clave|parola|contrasena|motdepasse"
)
_OWN_NUMBER = re.compile(rb"(?:[!@#$%^*~+?](?!.*123)[0-9]{2,}|(?<![0-9])(?!0?123|[0-9]*321)[0-9]{2,}[!@#$%^*~+?]{1,2})\Z")
_LOOKS_LIKE = bytes.maketrans(b"@$031!457", b"asoeliast")
SENTENCES = frozenset(("generic/told", "generic/mentioned", "generic/login", "generic/spoken-of", "generic/answered"))
"""Rules for sentences that tell a credential."""

MENTIONING = frozenset(("generic/mentioned", "generic/spoken-of", "generic/answered"))
"""Those of them in whose sentences nothing says that the value is it: a word with a number is no password there yet."""

_UNNAMED = frozenset(
    (
        "generic/positional", "generic/login", "generic/typed", "generic/entered", "generic/value-first", "generic/signing-call", "generic/answered",
    )
)  # fmt: skip
"""Rules for values that no name stands right before: what does is a call, a user or a field."""

_SAID_BEFORE = frozenset((b"by", b"-string", b"is", b"was", b"are", b"now", b"still", b"to", b"-"))
"""The last words of `IDENTIFIED BY '…'`, `ConvertTo-SecureString -String '…'` and `the password is …`."""

_STRENGTH = re.compile(
    rb"(?P<password>bind_?credential|wpa2?[ _-]?key|pass(?!ive|age|eng|port|ing|es\b|ed\b)|pwd|kennwort|contrase|senha|wachtwoord|has(?:lo|\xc5\x82o)|l(?:o|\xc3\xb6)senord|adgangskode|salasana|sifre|kata_?sandi|mat_?khau|parol[ae]|psk|pw\b|_pw|"
    rb"\xd0\xbf\xd0\xb0(?:\xd1\x80\xd0\xbe\xd0\xbb|\xd1\x81\xd0\xb2\xd0\xbe\xd1\x80\xd0\xb4)|\xe5\xaf\x86(?:\xe7\xa0\x81|\xe7\xa2\xbc)|\xe5\x8f\xa3\xe4\xbb\xa4|\xe3\x83\x91\xe3\x82\xb9|\xeb\xb9\x84\xeb\xb0\x80|securestring|identified by)|"
    rb"(?P<secret>(?:api|app|access|auth|secret|private|signing|signature|encryption|encrypt|master|service|shared|storage|session|account|admin|client|deploy|"
    rb"license|webhook|hmac|bot|jwt|cipher|crypto|token)[_. -]?key(?!s)|secret|token|bearer|authorization|\xe5\xaf\x86\xe9\x92\xa5)|"
    rb"(?P<weak>key|salt|seed|nonce|auth|credential|iv\b)"
)


@lru_cache(maxsize=512)
def _name(before: bytes) -> bytes:
    """The name, empty if there is none. Two questions of most values need it, and looking for it is what they cost."""
    lately = before[-24:]
    if b"efault" in lately or b"fallback" in lately:
        default = _DEFAULT.search(before)
        if default:
            named = [name for name in _NAMES.findall(before, 0, default.start()) if _STRENGTH.search(name.lower())]
            return named[-1] if named else b""
    if b"lain" in lately or b"orce" in lately:
        before = _FLAGS.sub(b" ", before)
    if before.endswith(b">"):
        before = _DRESS.sub(b" ", before)
    element = _ELEMENT.search(before) if before.endswith(b">") else None
    if element:
        attribute = _NAME_ATTRIBUTE.search(element[2])
        return bytes(attribute[1] if attribute else element[1])
    reference = _REFERENCE.search(before) if b"${" in before else None
    if reference:
        outer, inner = reference.groups()
        return bytes(inner if not outer or _STRENGTH.search(inner.lower()) else outer)
    found = (_NAMED.search(before) if b"alue" in before[-12:].lower() or b"ontent" in before[-12:].lower() else None) or _NAME.search(before)
    return found.group(1) if found else b""


def _near(context: Context) -> bytes:
    """Enough of what stands before the value to hold its name: with a tag's attributes that is more."""
    return context.before if context.before.endswith(b">") else context.before[-110:]


def name_words(context: Context) -> list[bytes]:
    """The words of the name that the value is assigned to, in lower case."""
    rule = context.candidate.rule.id
    return [] if rule in _UNNAMED or rule == "generic/spoken-of" else _words_of_name(_near(context))


@lru_cache(maxsize=512)
def _words_of_name(before: bytes) -> list[bytes]:
    name = _name(before)
    if not name.isascii():
        return [name.lower()]
    words = [word.lower() for word in PIECES.findall(name)]
    while len(words) > 1 and (words[-1] in _COMPARISONS or words[-1].isdigit()):
        words.pop()
    return words


PASSWORD, SECRET, WEAK = "password", "secret", "weak"
"""How much a name says: what only ever names a password; a secret, token or key; what names other things as often."""


def strength(context: Context) -> str:
    """How much the name says. Where none is seen (it stands on another line), the rule has found one for a secret."""
    rule = context.candidate.rule.id
    if rule in _UNNAMED:
        return SECRET if rule == "generic/signing-call" else PASSWORD
    return _said(context.before[-100:]) if rule in MENTIONING else _strength(_near(context))


@lru_cache(maxsize=512)
def _strength(before: bytes) -> str:
    name = _name(before).lower()
    return _said(name if name and name not in _SAID_BEFORE else before[-60:])


def _said(text: bytes) -> str:
    said = [match.lastgroup for match in _STRENGTH.finditer(text.lower())]
    return str(said[-1]) if said else SECRET


def kind_of_name(context: Context) -> Signal | None:
    """What names a password names nothing else; a `key`, `salt` or `seed` may be a word."""
    kind = strength(context)
    if kind == WEAK:
        return (
            Signal("kind of name", -10, "a name that other things have as well")
            if is_random(context.value)
            else Signal("kind of name", -45, "a name that words have as well")
        )
    if kind != PASSWORD or is_random(context.value):  # what is random has spoken for itself
        return None
    return Signal("kind of name", 10, "a name for passwords")


def says_its_name(context: Context) -> Signal | None:
    """`password = "password"`, `api_key: my-api-key`, `token = new_token`."""
    return _own_name(context.value, _near(context))


@lru_cache(maxsize=512)
def _own_name(value: bytes, before: bytes) -> Signal | None:
    value = value.lower()
    name = _words_of_name(before)
    plain = re.sub(rb"[^a-z0-9]", b"", value)
    if name and plain and (plain == b"".join(name) or plain in name):
        return Signal("name", -60, "says its own name")
    if is_random(value) or UUID.match(value):
        return None
    for text in (re.sub(rb"[^a-z]", b"", value), re.sub(rb"[^a-z]", b"", value.rstrip(b"!0123456789").translate(_LOOKS_LIKE))):
        if len(text) >= 3 and len(_SECRET_WORDS.sub(b"", text)) <= len(text) // 5:
            if _OWN_NUMBER.search(value):  # `Welcome2024!` is what people do choose, and `Admin123!` what stands in every manual
                return Signal("name", -15, "a word for credentials, with a number and a mark")
            return Signal("name", -50, "made of words for credentials")
    return Signal("name", -15, "holds a word for credentials") if re.search(rb"passw|secret|token|api_?key", value) else None


@lru_cache(maxsize=512)
def is_own_word(value: bytes) -> bool:
    """Whether a value is one word with a digit behind it that is no word for credentials, for users or for what programs are made of: `tulip7`,
    not `user1`, `secret2` or `field3`."""
    word = value.rstrip(b"0123456789").lower()
    return (
        len(word) >= 5
        and word.isalpha()
        and word not in _NOT_A_SECRET_TAIL
        and word not in _NOT_A_SECRET_HEAD
        and word not in _OF_PROGRAMS
        and len(_SECRET_WORDS.sub(b"", word)) > len(word) // 5
    )


def _is_literal(value: bytes) -> bool:
    """Whether no program calls anything so."""
    return is_random(value) or (digits(value) > 1 and value.isalnum() and is_drawn(value))


def name_of_something_else(context: Context) -> Signal | None:
    """`token_url`, `password_field`, `next_token`, `public_key`: the name's last or first word says that this is no secret."""
    name = name_words(context)
    if not name:
        return None
    if (b"::" in context.before or b"/" in context.before) and re.search(
        rb"(?:::|/)[\w.-]+[\"'`]\s{0,3}(?::|=>|=)\s{0,3}[\"'`]?\Z", context.before
    ):
        return Signal("name", -35, "the name is that of a type or a path")
    if name[-1] in _AGAIN and strength(context) == PASSWORD and _is_literal(context.value):
        return None  # the password that a form asks for twice
    if (
        (len(name) > 1 and name[-1] in _NOT_A_SECRET_TAIL)
        or name[-1].startswith(b"pub")
        or name[-1].endswith(_NOT_A_SECRET_END)
    ):
        return Signal("name", -40, "the name is that of something else")
    called = context.before.endswith((b"(", b'("', b"('"))
    if any(word in _NOT_A_SECRET_HEAD and not (called and word == b"set") for word in name[:-1]):
        return Signal("name", -40, "the name is that of something else")
    return Signal("name", -30, "a plural") if name[-1] in (b"tokens", b"passwords", b"secrets", b"keys", b"tokenizer") else None
