"""Generic rules for sentences: how people tell each other, an agent or their notes what a credential is."""

from __future__ import annotations

from keyward.plugin.shapes import an, assigned, concat, hexa, part, text

from ._generic_words import LANGUAGES, RANDOM, STRONG, WORDS, rule

_ALONE_IN_WORDS = (
    rb"(?<![A-Za-z0-9_./${%-])(?:(?i:password|passwd|passphrase|passcode|pwd|pw|kennwort|(?:api|access|secret|private|auth|client|bot|bearer)[ _-]?(?:key|token|secret)|credential)|"
    + LANGUAGES
    + rb")"
)
"""Names that are words of their own, which need nothing else in a sentence."""

_SPOKEN_OF = (
    rb"(?:[Pp](?i:ass(?:word|code|phrase|wort))|(?<![A-Za-z])(?i:pwd|pw|psk|mdp)(?![A-Za-z])|[Kk](?i:ennwort|lucz)|[Mm](?i:ot de passe)|[Cc](?i:ontrase(?:\xc3\xb1|n)a|lave|l\xc3\xa9|have|hiave)|[Ss](?i:enha|ecret|chl\xc3\xbcssel|leutel)|"
    rb"[Tt](?i:oken)|(?<![A-Za-z])(?i:api|access|admin|purge|write|wpa2?|license|master|root)[ -](?i:key)|\xd0[\xba\x9a]\xd0\xbb\xd1\x8e\xd1\x87|\xe3\x83\x88\xe3\x83\xbc\xe3\x82\xaf\xe3\x83\xb3|\xe3\x82\xb7\xe3\x83\xbc\xe3\x82\xaf\xe3\x83\xac\xe3\x83\x83\xe3\x83\x88|"
    + LANGUAGES
    + rb")"
)
"""What people call it when they write of it, in several languages."""

_WORDS_BETWEEN = rb"(?:[A-Za-z0-9 ,.:()`*!?/_\x80-\xff-]|(?<=[A-Za-z])'(?=[A-Za-z]| [a-z]))"
"""Sentences, with what dresses them in Markdown; no syntax of data or programs."""

_STANDS_OUT = rb"(?=[^\s\"'`]{0,40}[A-Za-z][0-9]{1,3}[A-Za-z])(?=[^\s\"'`]{0,60}[A-Z])(?=[^\s\"'`]{0,60}[a-z])(?P<secret>[A-Za-z0-9!#$%&+@^_?=-]{10,64})"
"""What no word of a sentence looks like: digits between letters of both cases."""

_DIGIT_BY_LETTER = rb"(?:[A-Za-z][0-9]|[0-9][A-Za-z])"
_TOLD_FIRST = rb"[!#-&(-+/-:<->@-Z^_a-z~]"
_TOLD_REST = rb"[!#-&(->@-\[\]-_a-~]"
_NO_OPERAND = rb"[!#-&+:;=?@A-Z^a-z0-9|~-]"


def _digit_by_letter(letters: bytes) -> bytes:
    """At least six of these letters, with a digit beside a letter in the first 22: what no word of a sentence has."""
    within = (letters * n + _DIGIT_BY_LETTER + letters * (4 - n) for n in range(4))
    return rb"(?:" + b"|".join(within) + rb"|" + letters + rb"{4,20}" + _DIGIT_BY_LETTER + rb")"


_IS = rb"(?: (?:is|was|ist|lautet|est|es|\xc3\xa8|\xc3\xa9)(?: now| still| set to| changed to)?:? |(?<=[A-Za-z0-9`]) ->? (?=[\"'`*]{0,3}" + _digit_by_letter(_NO_OPERAND) + rb"))"
"""Behind a dash or an arrow no brackets, dots and products: `a - b(c1)`, `-> Array1[T]` and `x - y1*z2` are in every program."""

_ANSWER_LETTERS = rb"[A-Za-z0-9!#$%&@+^_~?-]"
_ANSWER = rb"(?=[^\s\"'`]{0,30}[0-9])(?=[^\s\"'`]{0,30}[A-Za-z])(?P<secret>" + _ANSWER_LETTERS + rb"{8,200})"
"""A message, or a line, that is nothing else."""

_NAMED_IN_WORDS = rb"(?:" + WORDS + rb"[A-Za-z0-9_.-]{0,24}|(?<![A-Za-z])(?i:api|access|secret|private|auth|admin|root) (?i:key|token|pass|pw)|(?<![A-Za-z0-9_-])[Kk]ey(?= (?:is|was) ))"
_SAID = rb"(?=[\"'`*.,;:)!?}\]]{0,6}(?:\s|\\|\Z)|[.,!]{0,2}[\"'][,}\]])"
"""What ends it: the end of a sentence, of a line, of a text in JSON."""

_TOLD = rb"(?P<secret>" + _TOLD_FIRST + _TOLD_REST + rb"{4,198}[A-Za-z0-9!#$%&+/=@^_~])"
"""How people tell each other, an agent or their notes: `the password for staging is …`. The dot that ends the sentence is not in it."""

_MESSAGE = rb"\"(?:text|content|message|body|msg|output|stdout|tekst|testo|texte)\":[ ]?\"[`*]{0,3}"


RULES = (
    rule(
        "told",
        _NAMED_IN_WORDS + rb"(?: (?:for|of|on|at|in) [^\n.,;:=]{1,40}?)?" + _IS + rb"[\"'`*]{0,3}(?=[^\s\"'`]{0,30}[0-9])" + _TOLD + _SAID,
        (
            assigned("password", STRONG, form="The {name} is {value}.\n"),
            assigned("token", RANDOM, form="- the {name} for the staging server is `{value}`\n"),
            assigned("API key", RANDOM, form="Your {name} was {value}, keep it\n"),
            assigned("secret", RANDOM, form="plaid {name} - '{value}'\n"),
            assigned("password", STRONG, form="wifi {name} - {value}\n"),
            text("Your billing key is ", part("secret", hexa(32)), ", keep it safe\n"),
            assigned("password", STRONG, form='{"role": "user", "content": "the {name} on db3 is {value}"}\n'),
        ),
        (
            assigned("password", "required", form="The {name} is {value}.\n"),
            assigned("token", "base64-encoded", form="The {name} is {value}.\n"),
            assigned("key", "32 bytes", form="The secret {name} is {value} long.\n"),
            assigned("colour", RANDOM, form="The {name} is {value}.\n"),
            assigned("password", "version2", form="The {name} is {value}.\n"),
        ),
        # without the name: a word from a long list with a gap behind it costs ten times what looking around the few hits does
        anchor=rb" (?:is|was|ist|lautet|est|es|\xc3\xa8|\xc3\xa9)(?: now| still| set to| changed to)?:? [\"'`*]{0,3}"
        + _digit_by_letter(_TOLD_REST)
        + rb"|[A-Za-z0-9`] ->? [\"'`*]{0,3}"
        + _digit_by_letter(_NO_OPERAND),
        score=40,
    ),
    rule(
        "mentioned",
        _ALONE_IN_WORDS + rb"(?: to)? {1,2}[\"'`*]{0,3}(?![A-Za-z_]{1,30}=|[A-Z]{2,8}/[0-9]|&[#a-z])(?=[^\s\"'`]{0,30}[0-9])(?=[^\s\"'`]{8})" + _TOLD + _SAID,
        (
            assigned("password", STRONG, form="- db3: login svc {name} {value}\n"),
            assigned("API key", RANDOM, form="use {name} {value} for it\n"),
            assigned("pw", STRONG, form="wifi {name} {value}, ask me\n"),
        ),
        (
            assigned("password", "authentication", form="- db3: {name} {value}\n"),
            assigned("token", concat("base64url-", "encoded2"), form="a {name} {value} by it\n"),
            assigned("password", concat("sha256", "sum2"), form="the {name} {value} is\n"),
            assigned("colour", STRONG, form="use {name} {value} for it\n"),
        ),
        anchor=_ALONE_IN_WORDS + rb"(?: to)? {1,2}[\"'`*]{0,3}[^\s\"'`]{0,20}[0-9]",
        score=36,  # so that in a sentence, in documentation too, what was drawn counts
    ),
    rule(
        "answered",
        _SPOKEN_OF + rb"[^\"\n]{0,160}\"(?:[^\n]{0,300}\n)?[^\n]{0,300}?" + _MESSAGE + _ANSWER + rb"[`*]{0,3}(?:\\n)?\"",
        (
            text('{"user":"U1","text":"whats the password of the new box"},{"user":"U2","text":"', part("secret", an(14)), '"}\n'),
            text('{"role":"assistant","content":"Please give me the API token."}\n{"role":"user","content":"', part("secret", RANDOM), '"}\n'),
            text('{"content":[{"type":"text","text":"Which secret?"}]}\n{"content":[{"type":"text","text":"', part("secret", RANDOM), '"}]}\n'),
        ),
        (
            text('{"user":"U1","text":"whats the password of the new box"},{"user":"U2","text":"', concat("db3-", "orders"), '"}\n'),
            text('{"user":"U1","text":"where is lunch"},{"user":"U2","text":"', an(14), '"}\n'),
            text('{"role":"assistant","content":"Please give me the token."}\n{"role":"user","content":"the one of 2024"}\n'),
        ),
        # the ends of the keys: with their quotation mark, or with a few more of them, the first pass takes a tenth longer over data in JSON
        anchor=rb"(?:ext|ontent|essage|ody|msg|utput|stdout|tekst|testo|texte)\":[ ]?\"[`*]{0,3}" + _digit_by_letter(_ANSWER_LETTERS) + _ANSWER_LETTERS + rb"{0,180}[`*]{0,3}(?:\\n)?\"",
        score=36,
        window=1200,
    ),
    rule(
        "spoken-of",
        _SPOKEN_OF + _WORDS_BETWEEN + rb"{0,80}?(?<![A-Za-z0-9_/.=+&?#@:%-])" + _STANDS_OUT + rb"(?![A-Za-z0-9_/+=:@-]|\.[A-Za-z0-9])",
        (
            text("the WPA2 key of the guests' network is **", part("secret", an(14)), "** now\n"),
            text("Das Kennwort lautet ", part("secret", an(16)), " (bitte bald ändern)\n".encode().decode()),
            text("Voici le mot de passe du compte FTP : ", part("secret", an(16)), "\n"),
            text('{"role": "user", "text": "hier der Zugriffstoken für alle Repos: ', part("secret", an(32)), '\\nbitte"}\n'),
        ),
        (
            text("the guests' network is **", an(14), "** now\n"),
            text("the password of the account is told by the administrator of the network\n"),
            text("the token is in https://git.corp.io/", an(14), "\n"),
            text("the password of the account was changed in ", hexa(40), "\n"),
        ),
        anchor=_SPOKEN_OF + rb"[A-Za-z0-9 ,.:()'`*!?/_\x80-\xff-]{0,80}[ ,()'`*!\x80-\xff][A-Za-z0-9!#$%&+@^_?-]{0,40}[A-Za-z][0-9]{1,3}[A-Za-z]",
        score=36,
    ),
    rule(
        "login",
        rb"(?<![A-Za-z0-9])(?i:log[- ]?in|sign(?:ed)?[- ]?in|creds?|credentials?|account|user(?:name)?|ssh(?: to [\w.-]{1,40})?)[ \t]{0,2}(?::|=|is|are|-|with|as)[ \t]{1,4}[\"'`]?[\w.@-]{2,64}[\"'`]?(?: ?/ ?| : |:|,? ?(?i:pass(?:word)?|pw)[ :=]{1,3})"
        rb"[\"'`]?(?=[^\s\"'`/]{0,30}[0-9])" + _TOLD + _SAID,
        (
            text("- SSH to db3: svc / ", part("secret", STRONG), "\n"),
            text("creds: bob:", part("secret", STRONG), "\n"),
            text("login with bob / ", part("secret", STRONG), ".\n"),
            text("account: `bob` / `", part("secret", STRONG), "`\n"),
        ),
        (
            text("login: bob / alice\n"),
            text("account: corp/team12\n"),
            text("user: bob\n", STRONG, "\n"),
            text("colour: bob / ", STRONG, "\n"),
        ),
        anchor=rb"(?i:log[- ]?in|sign(?:ed)?[- ]?in|creds?|credentials?|account|user(?:name)?|ssh(?: to [\w.-]{1,40})?)[ \t]{0,2}(?::|=|is|are|-|with|as)[ \t]{1,4}[\"'`]?[\w.@-]{2,64}[\"'`]?(?: ?/ ?| : |:|,? ?(?i:pass(?:word)?|pw)[ :=]{1,3})[\"'`]?[^\s\"'`/]{0,20}[0-9]",
        score=34,  # so that only what was drawn counts, not a word with a number
    ),
)  # fmt: skip
