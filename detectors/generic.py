"""Passwords, tokens and keys that only their name gives away.

What it is: a literal value assigned to a name such as `password`, `secret`, `token`, `api_key`, where no other pack knows the
  value's own form. How sure keyward is depends on how random the value is, what else the name says, and which file it is in.
Where it is used: `.env`, ini, YAML, JSON and XML settings, compose files and manifests, program code, shell histories, notes.
What an attacker can do: that depends on what it belongs to; treat it like the password of the system that the name tells.
How to replace it: find out which system takes it, change it there, and read it from the environment or a vault instead.
References: https://cwe.mitre.org/data/definitions/798.html
"""

from __future__ import annotations

from keyward.plugin import GENERIC, CredentialKind, Kind, Manual, Rule
from keyward.plugin.shapes import Shape, an, assigned, chars, concat, hexa, json_member, part, text, uuid4

SECRET = Kind("generic/secret")

KINDS = (
    CredentialKind(
        SECRET,
        "Password, token or key, by its name",
        "medium",
        manual=Manual(
            (
                "Find out which system takes the value.",
                "Change it there.",
                "Read the new one from the environment or a vault, not from a file that is committed.",
            ),
            "https://cheatsheetseries.owasp.org/cheatsheets/Secrets_Management_Cheat_Sheet.html",
        ),
        references=("https://cwe.mitre.org/data/definitions/798.html",),
        rotates=True,
    ),
)

_LANGUAGES = (  # Dutch, Danish, Polish, Swedish, Finnish, Romanian and Turkish, Indonesian, Vietnamese; Russian, Ukrainian; Chinese, Japanese, Korean
    rb"[Ww](?i:achtwoord)|[Aa](?i:dgangskode)|[Hh](?i:as(?:l|\xc5\x82)o)|[Ll](?i:(?:o|\xc3\xb6)senord)|[Ss](?i:alasana|ifre)|[Pp](?i:arol[ae])|[Kk](?i:ata_?sandi)|[Mm](?i:at_?khau)|"
    rb"\xd0[\xbf\x9f]\xd0\xb0(?:\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c|\xd1\x81\xd0\xb2\xd0\xbe\xd1\x80\xd0\xb4)|\xe5(?:\xaf\x86\xe7(?:\xa0\x81|\xa2\xbc)|\xaf\x86\xe9\x92\xa5|\x8f\xa3\xe4\xbb\xa4)|"
    rb"\xe3\x83\x91\xe3\x82\xb9\xe3\x83\xaf\xe3\x83\xbc\xe3\x83\x89|\xeb\xb9\x84\xeb\xb0\x80\xeb\xb2\x88\xed\x98\xb8"
)
_WORDS = (  # the first letters as sets, so that `re` passes over other text fast
    rb"(?:[Pp](?i:ass(?:word|wd|phrase|code|wort)|wd|epper|rivate[_.-]?key)|[Ss](?i:ecret|enha|onar\.login|(?:igning|ervice|hared|torage|ession)[_.-]?key)|[Tt](?i:oken)|"
    rb"[Aa](?i:pi[_.-]?key|ccess[_.-]?key|uth[_.-]?key|uthorization|(?:ccount|dmin|pp)[_.-]?key)|[Cc](?i:redential|lient[_.-]?key|ontrase(?:\xc3\xb1|n)a)|"
    rb"[Ee](?i:ncryption[_.-]?key|rlang_?cookie)|[Ll](?i:icense[_.-]?key)|[Mm](?i:aster[_.-]?key|ot[_ ]?de[_ ]?passe)|[Dd](?i:eploy[_.-]?key)|[Ww](?i:ebhook[_.-]?key)|"
    rb"[Hh](?i:mac[_.-]?key)|[Bb](?i:ot[_.-]?key)|[Kk](?i:ennwort)|(?<![A-Za-z])[Pp](?i:ass|w|sk)(?![A-Za-z])|a(?<=[a-z]:a)uth(?=\()|(?<=[a-z])Pass(?![a-z])|p(?<=[a-z]p)(?:ass|w)(?![A-Za-z])(?<!bypass)(?<!compass)(?<!overpass)(?<!surpass)(?<!trespass)|[_.-](?i:pass|auth(?!or))|"
    + _LANGUAGES
    + rb")"
)
_OPTION = rb"(?:password|passwd|pass|passphrase|secret|token|api-?key|access-?key|secret-key|auth-token|pwd|key)(?:[ =][\"']?|[\"'],[ \t]{0,4}[\"']|[\"']?\r?\n[ \t]{0,40}- [\"']?)"
_TAIL = rb"[A-Za-z0-9_.-]{0,24}"
_TYPED = rb"(?:[ \t]{0,2}:?[ \t]{1,2}(?:As )?&?[A-Za-z][A-Za-z0-9_.]{0,20})?"
_OPERATOR = rb"(?:===?|!==?|:=|=>|=|:|\xef\xbc\x9a|\|\||\?[?:]|or(?=[ \t]))"
_SPACES = rb"[ \t]{0,24}"
"""Around a sign of assignment: many people align what they assign, and the formatters of Go and Terraform do it for all."""

_GIVEN = (
    rb"(?:(?:[\"'`][\])]?|[*_]{1,2}|"
    + _TYPED
    + rb")" + _SPACES
    + _OPERATOR
    + rb"[*_]{0,2}|[\"'`][ \t]{0,2},(?: with:)?|[ \t])" + _SPACES + rb"(?:\[\]byte\(|Some\(|SecretStr\(|<<|Buffer\.from\(|String\()?[rbufNL@]?(?:\"\\\"|'\"|\\?[\"'`])"
)
"""Between a name and a value in quotes: `name = "`, `"name": "`, `name: str = "`, `define('name', '`, `#define name "`, `**name**: ``, `name == "`,
`getenv('NAME') or "`."""

_GIVEN_PLAINLY = rb"(?:[\"'`]\]?|" + _TYPED + rb")" + _SPACES + _OPERATOR + _SPACES
_IN_QUOTES = rb"(?P<secret>[!#-&(-\[\]-_a-~]{6,200})"
_BARE_REST = rb"[A-Za-z0-9!#$%&*+./:=?@^_~|-]"
_BARE = rb"(?P<secret>[A-Za-z0-9!#%&*+./:=?@^_~|-]" + _BARE_REST + rb"{5,199})"
_ENDS = rb"(?:[\"'`;\r\n]|\Z|\\{1,4}[nrt\"']|</|[ \t]\(|[,)}\]]{1,3}(?:[\s\"']|\Z)|,[a-z_]{2,20}[=,\s]|[ \t]{1,8}(?:[#;}\r\n]|\\\n|&&|-H |--|https?:))"
_WEAK = rb"(?:(?:[Kk]ey|[Ss](?:alt|eed)|[Nn]once|[Aa]uth)(?![a-z])|(?:KEY|SALT|SEED|NONCE|AUTH)(?![A-Z])|(?<![A-Za-z])(?:iv|IV)(?![A-Za-z]))"
"""Names that hold other things as often; what they are given counts only where a machine drew it."""

_DRAWN_IN_QUOTES = rb"[A-Za-z0-9+/_-]{16,200}={0,2}[\"'`]"
_DRAWN_BARE = rb"[A-Za-z0-9+/_-]{20,200}={0,2}(?:[\"'`;\r\n]|\Z|\\{1,4}[nrt\"'])"
_LONGER = rb"(?:[Kk]ey|[Ss](?:alt|eed)|[Nn]once|[Aa]uth|KEY|SALT|SEED|NONCE|AUTH)[A-Za-z0-9_]{0,12}"
_AFTER_IV = (rb"[_:= ]", rb"[\"'`\t]", rb"[!|?,]", rb"[*\xef01]", rb"[2345]", rb"[6789]")
_IVS = tuple(name + after + rb"[^\r\n]{0,60}?" for name in (b"iv", b"IV") for after in _AFTER_IV)
"""With what can follow it, four bytes at a time, which Hyperscan spells out: `iv` alone is in every second line of a program."""

_PASSWORD = (
    rb"(?:[Pp](?i:ass(?:word|wd|phrase|code|wort)|wd)|(?<![A-Za-z])[Pp](?i:ass|w)(?![A-Za-z])|[_.-](?i:pass)|[Kk](?i:ennwort)|[Ss](?i:enha)|[Cc](?i:ontrase(?:\xc3\xb1|n)a)|"
    + _LANGUAGES
    + rb")[0-9]{0,2}"
)
"""Names that only passwords have, to their end."""

_WORDS_IN_QUOTES = (
    rb"(?=[^\"'`\n]{10,120}[\"'`])(?P<secret>[^\s\"'`\\<>{}\[\]()$=;|]{1,40}(?: [^\s\"'`\\<>{}\[\]()$=;|]{1,40}){1,7})"
)
_PLAIN = rb"[!#-&(-\[\]-_a-~]{0,100}"
_ESCAPED = (
    rb"[\"'](?=[^\n]{6,200})(?P<secret>(?:"
    + _PLAIN
    + rb"\\(?:[\\\"'/$@!#&%^*~]|u00[2-7][0-9A-Fa-f])){1,6}"
    + _PLAIN
    + rb")[\"'](?![\"'A-Za-z0-9_])"
)
_BLOCK = rb":(?: [>|][+-]?)?\r?\n"
_GIVEN_ABOVE = rb"(?:[\"'`]\]?|" + _TYPED + rb")[ \t]{0,4}(?::=|=>|=|:)[ \t]{0,2}"

_ALONE_IN_WORDS = (
    rb"(?<![A-Za-z0-9_./${%-])(?:(?i:password|passwd|passphrase|passcode|pwd|pw|kennwort|(?:api|access|secret|private|auth|client|bot|bearer)[ _-]?(?:key|token|secret)|credential)|"
    + _LANGUAGES
    + rb")"
)
"""Names that are words of their own, which need nothing else in a sentence."""

_SPOKEN_OF = (
    rb"(?:[Pp](?i:ass(?:word|code|phrase|wort))|(?<![A-Za-z])(?i:pwd|pw|psk|mdp)(?![A-Za-z])|[Kk](?i:ennwort|lucz)|[Mm](?i:ot de passe)|[Cc](?i:ontrase(?:\xc3\xb1|n)a|lave|l\xc3\xa9|have|hiave)|[Ss](?i:enha|ecret|chl\xc3\xbcssel|leutel)|"
    rb"[Tt](?i:oken)|(?<![A-Za-z])(?i:api|access|admin|purge|write|wpa2?|license|master|root)[ -](?i:key)|\xd0\xba\xd0\xbb\xd1\x8e\xd1\x87|\xe3\x82\xb7\xe3\x83\xbc\xe3\x82\xaf\xe3\x83\xac\xe3\x83\x83\xe3\x83\x88|"
    + _LANGUAGES
    + rb")"
)
"""What people call it when they write of it, in several languages."""

_WORDS_BETWEEN = rb"(?:[A-Za-z0-9 ,.:()`*!?/_\x80-\xff-]|(?<=[A-Za-z])'(?=[A-Za-z]| [a-z]))"
"""Sentences, with what dresses them in Markdown; no syntax of data or programs."""

_STANDS_OUT = rb"(?=[^\s\"'`]{0,40}[A-Za-z][0-9]{1,3}[A-Za-z])(?=[^\s\"'`]{0,60}[A-Z])(?=[^\s\"'`]{0,60}[a-z])(?P<secret>[A-Za-z0-9!#$%&+@^_?=-]{10,64})"
"""What no word of a sentence looks like: digits between letters of both cases."""

_IS = rb" (?:(?:is|was)(?: now| still| set to| changed to)?:? |-> |- )"
_NAMED_IN_WORDS = rb"(?:" + _WORDS + rb"[A-Za-z0-9_.-]{0,24}|(?<![A-Za-z])(?i:api|access|secret|private|auth|admin|root) (?i:key|token|pass|pw))"
_SAID = rb"(?=[\"'`*.,;:)!?}\]]{0,6}(?:\s|\\|\Z))"
_TOLD = rb"(?P<secret>[!#-&(-+/-:<->@-Z^_a-z~][!#-&(->@-\[\]-_a-~]{4,198}[A-Za-z0-9!#$%&+/=@^_~])"
"""How people tell each other, an agent or their notes: `the password for staging is …`. The dot that ends the sentence is not in it."""

_ARGUMENT = rb"[ \t]{0,2}(?:[^,\"'()\n]{1,60}(?:\([^()\n]{0,120}\))?|[rbufNL@]?(?:\"[^\"\n]{0,200}\"|'[^'\n]{0,200}'))[ \t]{0,2},"
_KEYED = (
    rb"(?:Algorithm\.HMAC\d{3}\(|[sS]ignWith\([^,\n]{1,60},[ \t]{0,2}|[sS]etSigningKey\(|new SecretKeySpec\(|createHmac\([ \t]?[\"'][\w-]{3,10}[\"'],[ \t]{0,2}|SignedString\(|\bFernet\(|hmac\.new\([ \t]?|hmac\.New\([^,\n]{1,40},[ \t]{0,2}|"
    rb"\bjwt\.(?:sign|verify|encode|decode)\([^,\"'\n]{1,80},[ \t]{0,2}|JWT::(?:en|de)code\([^,\"'\n]{1,80},[ \t]{0,2}|JWT\.(?:en|de)code[ (][^,\"'\n]{1,80},[ \t]{0,2}|CryptoJS\.(?:AES|TripleDES|DES|RC4|Hmac\w{3,8})(?:\.(?:en|de)crypt)?\([^,\n]{1,80},[ \t]{0,2}|SymmetricSecurityKey\()"
)
"""Calls whose next argument signs or encrypts."""

_SECOND = rb"(?:\b[tT]wilio|X509Certificate2?|\.(?:simple_)?bind(?:_s)?|[Cc]redentials[.:]{1,2}basic|basic_auth|WiFi\.begin|softAP|NetworkCredential|UsernamePasswordCredentials?|UsernamePasswordAuthenticationToken|PasswordAuthentication|(?:HTTP|Http)?BasicAuth(?:entication)?|basic_auth|[.>]login|auth[ \t]?=[ \t]?)"
_THIRD = rb"(?:[.:]connect|DBI->connect|PDO->__construct|PlainAuth|\bConnection|\bdatabase|create_(?:super)?user|set_password|DirectoryEntry|mysqli?_p?connect|new mysqli|new PDO|getConnection|pg_connect|ftp_login)"
_FOURTH = rb"mysqli?_real_connect"

_IN_REFERENCE = rb"(?::?[-=]|:)[\"']?(?P<secret>[A-Za-z0-9!#%&*./@^_~|][A-Za-z0-9!#$%&*+./:=?@^_~|-]{5,199})[\"']?\}"
"""`${NAME:-value}` of shells and compose files, `${NAME:value}` of Spring: what counts where nothing else is set."""

_ATTRIBUTES = rb"(?:[ \t][A-Za-z:]{1,30}=[\"'][^\"'<>\n]{0,200}[\"']){0,3}"
_DEFAULT = rb"(?<![A-Za-z])(?:[Dd]efault(?:_?[Vv]alue)?|fallback)[\"']?[ \t]{0,8}[:=(][ \t]{0,4}"
_UP_TO_THE_DEFAULT = (
    rb"(?:[^\n;}]{0,90}?|[\"']?[ \t]{0,2}[:=]?[ \t]{0,2}\{?[ \t]{0,2}\r?\n(?:[ \t]{1,24}[\"']?[A-Za-z_][^\n{}]{0,120}\n){0,5}[ \t]{1,24}[\"']?)"
)
"""What stands between a name and the word `default`: the rest of a call, of an object on its line, or a block's lines (Terraform, schemas)."""


def _rule(
    name: str,
    pattern: bytes,
    examples: tuple[Shape, ...],
    near_misses: tuple[Shape, ...],
    score: int = 45,
    whole: bool = False,
    anchor: bytes | None = None,
    window: int = 600,
) -> Rule:
    """`whole`: look for the whole pattern, up to the end of the value, in the first pass; the value's end rules much out."""
    return Rule(
        f"generic/{name}",
        SECRET,
        pattern,
        anchor=anchor or (pattern if whole else None),
        window=300 if whole else window,
        score=score,
        specificity=GENERIC,
        examples=examples,
        near_misses=near_misses,
    )


_RANDOM = an(32)
_STRONG = concat(
    chars("BCDFGHJKLMNPQRTVWXZ", 2),
    "7",
    chars("bcdfghjkmnpqrtvwxz", 3),
    "#",
    chars("BCDFGHJKMNPQRTVWXZ", 2),
    "4!",
    chars("bcdfghjkmnpqrtvwxz", 2),
)
_NUMBER = chars("23456789", 2)
_LETTERS = chars("bcdfghjkmnpqrtvwxz", 4)
_MISSES = (
    assigned("api_key", "settings.SERVICE_API_KEY", form='{name} = "{value}"\n'),
    assigned("password", "ConfirmYourPassword", form='{name} = "{value}"\n'),
    assigned("token", "/var/run/tokens/app", form='{name}: "{value}"\n'),
    assigned("secret", "correct-horse-battery-staple", form='{name} = "{value}"\n'),
    assigned("token_url", concat("https://id.corp.io/", an(24)), form='{name} = "{value}"\n'),
    assigned("nextToken", an(32), form='"{name}": "{value}"\n'),
    assigned("colour", an(32), form='{name} = "{value}"\n'),
)

RULES = (
    _rule(
        "quoted",
        rb"(?:" + _WORDS + _TAIL + rb"|(?i:identified by|convertto-securestring(?: -(?:string|asplaintext|force)){0,3}))" + _GIVEN + _IN_QUOTES + rb"(?:[\"'`]|\\[\"'`](?![A-Za-z0-9!#$%&*+@^_~-]))",
        (
            assigned("api_key", _RANDOM, form='{name} = "{value}"\n'),
            json_member("accessToken", _RANDOM),
            assigned("DB_PASS", _STRONG, form="define('{name}', '{value}');\n"),
            assigned("pass", _STRONG, form="auth: { user: 'svc', {name}: '{value}' }\n"),
            assigned("dbPassword", _STRONG, form='const {name}: string = "{value}";\n'),
            assigned("secret", hexa(40), form="  {name}: '{value}'\n"),
            assigned("wachtwoord", _STRONG, form="{name} := '{value}'\n"),
            assigned("password", _STRONG, form='if ({name} === "{value}") {{\n'.replace("{{", "{")),
            assigned("API_SECRET", _RANDOM, form='#define {name} "{value}"\n'),
            assigned("JWT_SECRET", _RANDOM, form="const value = process.env.{name} || '{value}';\n"),
            assigned("IDENTIFIED BY", _STRONG, form="CREATE USER shop {name} '{value}';\n"),
            assigned("ADMIN_PASSWORD", _STRONG, form="- **{name}**: `{value}`\n"),
            assigned("hmacSecret", _RANDOM, form='var {name} = []byte("{value}")\n'),
            assigned("DB_PASSWORD", _STRONG, form="$password = getenv('{name}') ?: '{value}';\n"),
            assigned("DB_PASSWORD", _STRONG, form='password = os.getenv("{name}") or "{value}"\n'),
        ),
        _MISSES,
    ),
    _rule(
        "passphrase",
        _PASSWORD + _GIVEN + _WORDS_IN_QUOTES + rb"[\"'`]",
        (
            assigned("password", concat("correct horse ", _NUMBER, " battery"), form='{name} = "{value}"\n'),
            assigned("db_password", concat("Toulouse ", _NUMBER, " Kay!x Lyon"), form="  {name}: '{value}'\n"),
            json_member("passphrase", concat("correct horse battery staple")),
            assigned("GMAIL_APP_PASSWORD", concat(_LETTERS, " ", _LETTERS, " ", _LETTERS, " ", _LETTERS), form='{name} = "{value}"\n'),
        ),
        (
            assigned("password", "correct horse battery staple", form='{name} = "{value}"\n'),
            assigned("password", "Must have at least 8 characters", form='"{name}": "{value}"\n'),
            assigned("password", "Mindestens 8 Zeichen", form='{name}: "{value}"\n'),
            assigned("passphrase", "the phrase that opens it", form='"{name}": "{value}"\n'),
            assigned("passwordLabel", concat("correct horse ", _NUMBER, " battery"), form='{name} = "{value}"\n'),
            assigned("title", concat("correct horse ", _NUMBER, " battery"), form='{name} = "{value}"\n'),
        ),
    ),
    _rule(
        "escaped",
        _WORDS + _TAIL + _GIVEN_PLAINLY + _ESCAPED,
        (
            assigned("password", concat(_STRONG, "\\\\", an(3)), form='{name} = "{value}"\n'),
            json_member("dbPassword", concat(_STRONG, '\\"', an(3))),
            json_member("password", concat(_STRONG, "\\u0026", an(3))),
            assigned("API_TOKEN", concat(an(12), "\\/", an(16)), form='{name}: "{value}"\n'),
        ),
        (
            assigned("password_regex", concat("^[a-z]\\\\", _STRONG), form='{name} = "{value}"\n'),
            assigned("secret_file", "C:\\\\keys\\\\application.key", form='{name} = "{value}"\n'),
            assigned("password", "first\\nsecond", form='{name} = "{value}"\n'),
            assigned("colour", concat(_STRONG, "\\\\", an(3)), form='{name} = "{value}"\n'),
        ),
    ),
    _rule(
        "next-line",
        _WORDS + _GIVEN_ABOVE + rb"\(?\r?\n[ \t]{0,60}[rbufNL@]?[\"'`]" + _IN_QUOTES + rb"[\"'`][ \t]{0,2}(?:[,;)}\r\n]|\Z)",
        (
            assigned("password", _RANDOM, form='"{name}":\n    "{value}",\n'),
            assigned("apiKey", _RANDOM, form='const {name}: string =\n  "{value}";\n'),
            assigned("API_TOKEN", _RANDOM, form='{name} = (\n    "{value}"\n)\n'),
        ),
        (
            assigned("password", "Enter-your-own", form='"{name}":\n    "{value}",\n'),
            assigned("colour", _RANDOM, form='"{name}":\n    "{value}",\n'),
            assigned("token", "identifier", form='{name} =\n    "{value}",\n'),
        ),
        score=34,  # what the rest of the name says is not seen, so a drawn password counts in settings only, and nothing in tests
    ),
    _rule(
        "next-line-bare",
        _WORDS + _BLOCK + rb"[ \t]{1,60}(?!- )" + _BARE + rb"(?<!:)[ \t]{0,2}(?:[\r\n]|\Z)",
        (
            assigned("password", _STRONG, form="db:\n  {name}:\n    {value}\n"),
            assigned("api_token", _RANDOM, form="{name}: >-\n  {value}\nuser: svc\n"),
            assigned("client_secret", _RANDOM, form="{name}: |\n  {value}\n"),
        ),
        (
            assigned("password", "description:", form="{name}:\n  {value}\n    of it\n"),
            assigned("token", "authentication-code", form="{name}:\n  {value}\n"),
            assigned("token", _RANDOM, form="{name}:\n{value}\n"),
        ),
        # a class instead of two options: a fifth of the states; the end of a short value's line: what most lines of programs do not have there
        anchor=_WORDS + rb":[ >|+-]{0,3}\r?\n[ \t]{1,60}[A-Za-z0-9!#%&*+./:=?@^_~|-]" + _BARE_REST + rb"{5}(?:" + _BARE_REST + rb"{7}|" + _BARE_REST + rb"{0,6}[ \t]{0,2}(?:[\r\n]|\Z))",
    ),
    _rule(
        "called",
        _WORDS + _TAIL + rb"\([ \t]{0,2}[rbufNL@]?[\"'`]" + _IN_QUOTES + rb"[\"'`][ \t]{0,2}[,)]",
        (
            assigned("setPassword", _STRONG, form='certificate.{name}("{value}");\n'),
            assigned("password", _STRONG, form='builder.username("svc").{name}("{value}").build();\n'),
            assigned("apiKey", _RANDOM, form="client = Client.{name}('{value}')\n"),
        ),
        (
            assigned("getPassword", "primary-login", form='store.{name}("{value}")\n'),
            assigned("resetPassword", uuid4(), form='store.{name}("{value}")\n'),
            assigned("setColour", _RANDOM, form='store.{name}("{value}")\n'),
            assigned("setPassword", "password123", form='user.{name}("{value}")\n'),
        ),
    ),
    _rule(
        "told",
        _NAMED_IN_WORDS + rb"(?: (?:for|of|on|at|in) [^\n.,;:=]{1,40}?)?" + _IS + rb"[\"'`*]{0,3}(?=[^\s\"'`]{0,30}[0-9])" + _TOLD + _SAID,
        (
            assigned("password", _STRONG, form="The {name} is {value}.\n"),
            assigned("token", _RANDOM, form="- the {name} for the staging server is `{value}`\n"),
            assigned("API key", _RANDOM, form="Your {name} was {value}, keep it\n"),
            assigned("secret", _RANDOM, form="plaid {name} - '{value}'\n"),
            assigned("password", _STRONG, form="wifi {name} - {value}\n"),
            assigned("password", _STRONG, form='{"role": "user", "content": "the {name} on db3 is {value}"}\n'),
        ),
        (
            assigned("password", "required", form="The {name} is {value}.\n"),
            assigned("token", "base64-encoded", form="The {name} is {value}.\n"),
            assigned("key", "32 bytes", form="The secret {name} is {value} long.\n"),
            assigned("colour", _RANDOM, form="The {name} is {value}.\n"),
            assigned("password", "version2", form="The {name} is {value}.\n"),
        ),
        # without the name: a word from a long list with a gap behind it costs ten times what looking around the few hits does
        anchor=rb" (?:(?:is|was)(?: now| still| set to| changed to)?:? |-> |- )[\"'`*]{0,3}[!#-&(-+/-:<->@-Z^_a-z~][!#-&(->@-\[\]-_a-~]{0,20}(?:[A-Za-z][0-9]|[0-9][A-Za-z])",
        score=40,
    ),
    _rule(
        "mentioned",
        _ALONE_IN_WORDS + rb" {1,2}[\"'`*]{0,3}(?![A-Za-z_]{1,30}=|[A-Z]{2,8}/[0-9]|&[#a-z])(?=[^\s\"'`]{0,30}[0-9])(?=[^\s\"'`]{8})" + _TOLD + _SAID,
        (
            assigned("password", _STRONG, form="- db3: login svc {name} {value}\n"),
            assigned("API key", _RANDOM, form="use {name} {value} for it\n"),
            assigned("pw", _STRONG, form="wifi {name} {value}, ask me\n"),
        ),
        (
            assigned("password", "authentication", form="- db3: {name} {value}\n"),
            assigned("token", concat("base64url-", "encoded2"), form="a {name} {value} by it\n"),
            assigned("password", concat("sha256", "sum2"), form="the {name} {value} is\n"),
            assigned("colour", _STRONG, form="use {name} {value} for it\n"),
        ),
        anchor=_ALONE_IN_WORDS + rb" {1,2}[\"'`*]{0,3}[^\s\"'`]{0,20}[0-9]",
        score=36,  # so that in a sentence, in documentation too, what was drawn counts
    ),
    _rule(
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
        anchor=_SPOKEN_OF + rb"[A-Za-z0-9 ,.:()'`*!?/_\x80-\xff-]{0,80}[^A-Za-z0-9_/.=+&?#@:%-][A-Za-z0-9!#$%&+@^_?=-]{0,40}[A-Za-z][0-9]{1,3}[A-Za-z]",
        score=36,
    ),
    _rule(
        "login",
        rb"(?<![A-Za-z0-9])(?i:log[- ]?in|creds?|credentials?|account|user(?:name)?|ssh(?: to [\w.-]{1,40})?)[ \t]{0,2}(?::|=|is|are|-|with|as)[ \t]{1,4}[\"'`]?[\w.@-]{2,64}[\"'`]?(?: ?/ ?| : |:|,? ?(?i:pass(?:word)?|pw)[ :=]{1,3})"
        rb"[\"'`]?(?=[^\s\"'`/]{0,30}[0-9])" + _TOLD + _SAID,
        (
            text("- SSH to db3: svc / ", part("secret", _STRONG), "\n"),
            text("creds: bob:", part("secret", _STRONG), "\n"),
            text("login with bob / ", part("secret", _STRONG), ".\n"),
            text("account: `bob` / `", part("secret", _STRONG), "`\n"),
        ),
        (
            text("login: bob / alice\n"),
            text("account: corp/team12\n"),
            text("user: bob\n", _STRONG, "\n"),
            text("colour: bob / ", _STRONG, "\n"),
        ),
        anchor=rb"(?i:log[- ]?in|creds?|credentials?|account|user(?:name)?|ssh(?: to [\w.-]{1,40})?)[ \t]{0,2}(?::|=|is|are|-|with|as)[ \t]{1,4}[\"'`]?[\w.@-]{2,64}[\"'`]?(?: ?/ ?| : |:|,? ?(?i:pass(?:word)?|pw)[ :=]{1,3})[\"'`]?[^\s\"'`/]{0,20}[0-9]",
        score=34,  # so that only what was drawn counts, not a word with a number
    ),
    _rule(
        "setting",
        rb"(?<![^\n])[ \t]{0,32}(?:(?:set|option|define|export) {1,4})?[A-Za-z0-9_.-]{0,24}?" + _WORDS + rb"[0-9]{0,2}[ \t]{1,24}(?:--plaintext )?[\"']?" + _BARE + rb"[\"']?(?=[ \t]{0,8}(?:[\r\n]|\Z))",
        (
            assigned("bind_pw", _STRONG, form="{name} {value}\n"),
            assigned("password", _STRONG, form="account default\n{name}       {value}\n"),
            assigned("auth_token", _RANDOM, form="  {name} {value}\n"),
        ),
        (
            assigned("password", "required-by-all", form="{name} {value}\n"),
            assigned("password", "/run/secrets/app1", form="{name} {value}\n"),
            assigned("colour", _STRONG, form="{name} {value}\n"),
            assigned("token", "identifier2", form="{name} {value}\n"),
        ),
        anchor=_WORDS + rb"[0-9]{0,2}[ \t]{1,24}(?:--plaintext )?[\"']?[A-Za-z0-9!#%&*+./:=?@^_~|-]" + _BARE_REST + rb"{5,199}[\"']?[ \t]{0,8}(?:[\r\n]|\Z)",
        score=40,
    ),
    _rule(
        "serialized",
        rb"s:\d{1,3}:\\{0,3}\"[\w-]{0,30}?" + _WORDS + _TAIL + rb"\\{0,3}\";s:\d{1,3}:\\{0,3}\"(?P<secret>[!#-&(-:<-\[\]-_a-~]{6,200})\\{0,3}\";",
        (
            text("'a:2:{s:7:\"enabled\";s:3:\"yes\";s:10:\"secret_key\";s:32:\"", part("secret", _RANDOM), "\";}'\n"),
            text('(4,\'opts\',\'a:1:{s:8:\\"password\\";s:13:\\"', part("secret", _STRONG), '\\";}\')\n'),
            text('s:9:"api_token";s:32:"', part("secret", _RANDOM), '";\n'),
        ),
        (
            text('s:9:"api_token";s:10:"identifier";\n'),
            text('s:6:"colour";s:32:"', _RANDOM, '";\n'),
            text('s:9:"api_token";i:7;s:6:"colour";s:32:"', _RANDOM, '";\n'),
        ),
    ),
    _rule(
        "typed",
        rb"(?:(?:[Pp]?(?i:assw(?:or)?d|asswort|assphrase)|(?i:pwd|kennwort|secure_?text)|" + _LANGUAGES + rb")[^\n]{0,80}?(?:\r?\n[^\n]{0,60}?){0,2}?\.(?:fill|type|send_?[kK]eys|typeText|setValue|set_value|sendline|pressSequentially|enterText|input)\([ \t]?[\"'`]|"
        rb"Input Password[ \t]{2,8}\S{1,60}[ \t]{2,8})(?P<secret>[!#-&(-\[\]-_a-z|~]{6,200})(?:\{[a-z]{2,10}\}[\"'`]|[\"'`]|(?=\s))",
        (
            text("await page.getByLabel('Password').fill('", part("secret", _STRONG), "');\n"),
            text('driver.find_element(By.ID, "CustomerPassword").send_keys("', part("secret", _STRONG), '")\n'),
            text("cy.get('input[name=\"password\"]').type('", part("secret", _STRONG), "{enter}')\n"),
            text("child.expect('assword: ')\nchild.sendline('", part("secret", _STRONG), "')\n"),
            text("    Input Password    id:pw    ", part("secret", _STRONG), "\n"),
        ),
        (
            text("await page.getByLabel('Password').fill('password');\n"),
            text("await page.getByLabel('Name').fill('", _STRONG, "');\n"),
            text("await page.getByLabel('Password').fill(secret, '", _STRONG, "');\n"),
            text("    Input Password    id:pw    ${PASSWORD}\n"),
        ),
        anchor=rb"(?:\.(?:fill|type|send_?[kK]eys|typeText|setValue|set_value|sendline|pressSequentially|enterText|input)\([ \t]?[\"'`]|Input Password[ \t]{2,8}\S{1,60}[ \t]{2,8})[!#-&(-\[\]-_a-z|~]{6}",
        score=40,
    ),
    _rule(
        "value-first",
        rb"(?:[\"']" + _IN_QUOTES + rb"[\"'](?:\.toCharArray\(\)|[ \t]{1,4}TO[ \t]{1,4}[A-Z0-9-]{0,24}(?:PASS|PWD|PASSWD|PASSWORD|SECRET|TOKEN)(?![A-Z])))",
        (
            text('store.load(in, "', part("secret", _STRONG), '".toCharArray());\n'),
            text("       MOVE '", part("secret", _STRONG), "' TO WS-DB-PASSWD.\n"),
            text("char[] pin = '", part("secret", _STRONG), "'.toCharArray();\n"),
        ),
        (
            text('store.load(in, "password".toCharArray());\n'),
            text('store.load(in, "', _STRONG, '".toString());\n'),
            text("       MOVE '", _STRONG, "' TO WS-DB-USER.\n"),
            text('hex = "0123456789abcdef".toCharArray();\n'),
        ),
        score=40,
    ),
    _rule(
        "random-password",
        rb"\"random_(?:password|string)\"[^}]{0,900}?\"result\":[ ]?\"" + _IN_QUOTES + rb"\"",
        (
            text('"type": "random_password", "name": "db", "instances": [{"attributes": {"length": 12, "result": "', part("secret", _STRONG), '", "special": true}}]\n'),
            text('"type":"random_password","name":"db","instances":[{"attributes":{"result":"', part("secret", _STRONG), '"}}]\n'),
            text('  "type": "random_string",\n  "instances": [\n    {\n      "attributes": {\n        "length": 12,\n        "result": "', part("secret", _STRONG), '"\n'),
        ),
        (
            text('"type": "random_password", "instances": [{"attributes": {"length": 12}}], "result": "', _STRONG, '"\n'),
            text('"type": "random_password", "instances": [{"attributes": {"length": 12, "colour": "', _STRONG, '"}}]\n'),
            text('"type": "random_shuffle", "instances": [{"attributes": {"result": "', _STRONG, '"}}]\n'),
        ),
    ),
    _rule(
        "signing-call",
        _KEYED + rb"(?:\[\]byte\(|Buffer\.from\(|Encoding\.\w{3,8}\.GetBytes\(|[rbufNL@])?[\"'`]" + _IN_QUOTES + rb"[\"'`]",
        (
            text("const token = jwt.sign(payload, '", part("secret", _RANDOM), "', { expiresIn: '1h' })\n"),
            text('return jwt.encode(claims, "', part("secret", _RANDOM), '", algorithm="HS256")\n'),
            text('Algorithm a = Algorithm.HMAC256("', part("secret", _RANDOM), '");\n'),
            text("crypto.createHmac('sha256', '", part("secret", _RANDOM), "')\n"),
            text('signed, err := token.SignedString([]byte("', part("secret", _RANDOM), '"))\n'),
            text('cipher = Fernet(b"', part("secret", _RANDOM), '")\n'),
        ),
        (
            text("const token = jwt.sign(payload, 'shared-secret')\n"),
            text("const token = jwt.sign(payload, SECRET, '", _RANDOM, "')\n"),
            text('return jwt.encode("', _RANDOM, '", key)\n'),
            text("crypto.createHash('sha256', '", _RANDOM, "')\n"),
            text('Algorithm a = Algorithm.HMAC256("password");\n'),
        ),
    ),
    _rule(
        "positional",
        rb"(?:" + _SECOND + rb"\(" + _ARGUMENT + rb"|" + _THIRD + rb"\(" + _ARGUMENT + _ARGUMENT + rb"|" + _FOURTH + rb"\(" + _ARGUMENT * 3 + rb")[ \t]{0,2}(?:Some\()?[rbufNL@]?[\"']" + _IN_QUOTES + rb"[\"']",
        (
            text('keyring.set_password("mail", "svc", "', part("secret", _STRONG), '")\n'),
            text('mysql_real_connect(db, "10.2.0.9", "svc", "', part("secret", _STRONG), '", "orders", 0, NULL, 0)\n'),
            text('cert = new X509Certificate2(Path.Combine(root, "app.pfx"), "', part("secret", _STRONG), '");\n'),
            text('WiFi.begin("corp", "', part("secret", _STRONG), '");\n'),
            text('client.Credentials = new NetworkCredential("svc", "', part("secret", _STRONG), '");\n'),
            text("$db = new PDO('mysql:host=db3.corp.io', 'svc', '", part("secret", _STRONG), "');\n"),
            text('get(url, auth=("svc", "', part("secret", _STRONG), '"))\n'),
            text("server.login(user, '", part("secret", _STRONG), "')\n"),
        ),
        (
            text('client.Credentials = new NetworkCredential("svc", "password");\n'),
            text('get(url, auth=("svc", password))\n'),
            text('get(url, auth=("', _STRONG, '", password))\n'),
            text("$db = new PDO('mysql:host=db3.corp.io', 'svc', 'svc');\n"),
        ),
    ),
    _rule(
        "in-reference",
        rb"(?:\$\{[A-Za-z0-9_.-]{0,40}?" + _WORDS + rb"[A-Za-z0-9_.-]{0,24}?|"
        + _WORDS + _TAIL + rb"[\"']?[ \t]{0,2}(?:=|:|=>)[ \t]{0,2}[\"']?\$\{[A-Za-z0-9_.-]{1,40}?)" + _IN_REFERENCE,
        (
            assigned("DB_PASSWORD", _STRONG, form="    POSTGRES_PASSWORD: ${{name}:-{value}}\n"),
            assigned("API_TOKEN", _RANDOM, form='export API_TOKEN="${{name}:={value}}"\n'),
            assigned("DB_PASS", _STRONG, form="spring.datasource.password=${{name}:{value}}\n"),
            assigned("jwt.secret", _RANDOM, form='@Value("${{name}:{value}}")\n'),
            assigned("PASSWORD", _STRONG, form='{name}="${2:-{value}}"\n'),
        ),
        (
            assigned("DB_PASSWORD", _STRONG, form="    POSTGRES_PASSWORD: ${{name}:?{value}}\n"),
            assigned("DB_PASSWORD", "password", form="    POSTGRES_PASSWORD: ${{name}:-{value}}\n"),
            assigned("DB_PASSWORD", "${OTHER_PASSWORD}", form="    POSTGRES_PASSWORD: ${{name}:-{value}}\n"),
            assigned("TOKEN_URL", "https://id.corp.io/token", form="url: ${{name}:{value}}\n"),
            assigned("COLOUR", _RANDOM, form="colour: ${{name}:-{value}}\n"),
        ),
        # the name is looked for around few hits only
        anchor=rb"\$\{[A-Za-z0-9_.-]{1,60}(?::?[-=]|:)[\"']?[A-Za-z0-9!#%&*./@^_~|][A-Za-z0-9!#$%&*+./:=?@^_~|-]{5,199}[\"']?\}",
    ),
    _rule(
        "default",
        _WORDS + _TAIL + _UP_TO_THE_DEFAULT + _DEFAULT + rb"[rbufNL@]?[\"'`]" + _IN_QUOTES + rb"[\"'`]",
        (
            assigned("--password", _STRONG, form='parser.add_argument("{name}", help="of the database", default="{value}")\n'),
            assigned("API_SECRET", _RANDOM, form='key = config("{name}", default="{value}")\n'),
            assigned("password", _STRONG, form="  {name}: str = Field(default='{value}')\n"),
            assigned("db_password", _STRONG, form='variable "{name}" {\n  type    = string\n  default = "{value}"\n}\n'),
            assigned("api_token", _RANDOM, form='"{name}": {"type": "string", "default": "{value}"},\n'),
            assigned("apiToken", _RANDOM, form='{name}:\n  type: string\n  default: "{value}"\n'),
            assigned("db_password", _STRONG, form="value: \"{{ {name} | default('{value}') }}\"\n"),
            assigned("password", _STRONG, form='settings.get("mail", "{name}", fallback="{value}")\n'),
        ),
        (
            assigned("--password", "changeit", form='parser.add_argument("{name}", help="of the database", default="{value}")\n'),
            assigned("--colour", _STRONG, form='parser.add_argument("{name}", help="of the database", default="{value}")\n'),
            assigned("token_url", _RANDOM, form='key = config("{name}", default="{value}")\n'),
            assigned("api_token", _RANDOM, form='"{name}": {"type": "string"}, "colour": {"default": "{value}"},\n'),
            assigned("db_password", _STRONG, form='variable "{name}" {\n  type = string\n}\nvariable "region" {\n  default = "{value}"\n}\n'),
        ),
        # the name is looked for around few hits only: of what is in quotes after `default`, little has a digit
        anchor=rb"(?:[Dd]efault(?:_?[Vv]alue)?|fallback)[\"']?[ \t]{0,8}[:=(][ \t]{0,4}[rbufNL@]?[\"'`][!#-&(-\[\]-_a-~]{0,40}[0-9]",
    ),
    _rule(
        "drawn",
        _WEAK + rb"[A-Za-z0-9_]{0,12}" + _GIVEN + rb"(?P<secret>[A-Za-z0-9+/_-]{16,200}={0,2})[\"'`]",
        (
            assigned("AUTH_KEY", _RANDOM, form="define('{name}', '{value}');\n"),
            assigned("password_salt", hexa(32), form='{name} = "{value}"\n'),
            assigned("aes_key", _RANDOM, form='"{name}": "{value}"\n'),
        ),
        (
            assigned("key", "start-date-of-item", form='{name} = "{value}"\n'),
            assigned("publicKey", _RANDOM, form='{name} = "{value}"\n'),
            assigned("seed", an(14), form='{name} = "{value}"\n'),
            assigned("primary_key", uuid4(), form='{name} = "{value}"\n'),
        ),
        whole=True,
        anchor=_LONGER + _GIVEN + _DRAWN_IN_QUOTES + b"".join(b"|" + iv + _DRAWN_IN_QUOTES for iv in _IVS),
    ),
    _rule(
        "drawn-bare",
        _WEAK + rb"[A-Za-z0-9_]{0,12}(?:=|: {0,2}| = )(?P<secret>[A-Za-z0-9+/_-]{20,200}={0,2})(?:[\"'`;\r\n]|\Z|\\{1,4}[nrt\"'])",
        (
            assigned("AUTH_SALT", _RANDOM, form="{name}={value}\n"),
            assigned("key", hexa(40), form="  {name}: {value}\n"),
            assigned("seed", _RANDOM, form="{name} = {value}\n"),
        ),
        (
            assigned("key", "start-date-of-the-first-item", form="  {name}: {value}\n"),
            assigned("sort_key", _RANDOM, form="  {name}: {value}\n"),
            assigned("keyword", an(12), form="  {name}: {value}\n"),
        ),
        whole=True,
        anchor=_LONGER + rb"(?:=|: {0,2}| = )" + _DRAWN_BARE + b"".join(b"|" + iv + _DRAWN_BARE for iv in _IVS),
    ),
    _rule(
        "environment",
        rb"(?<![A-Za-z])(?:ENV|setx)[ \t]{1,4}[A-Za-z0-9_]{0,40}?" + _WORDS + rb"[A-Za-z0-9_]{0,24}[ \t]{1,4}" + _BARE + rb"(?=[ \t\r\n\\]|\Z)",
        (
            assigned("API_TOKEN", _RANDOM, form="ENV {name} {value}\n"),
            assigned("DB_PASSWORD", _STRONG, form="ENV {name} {value}\n"),
            assigned("APP_SECRET", hexa(32), form="setx {name} {value}\n"),
        ),
        (
            assigned("API_TOKEN", "$TOKEN", form="ENV {name} {value}\n"),
            assigned("API_COLOUR", _RANDOM, form="ENV {name} {value}\n"),
            assigned("TOKEN_FILE", "/run/secrets/token", form="ENV {name} {value}\n"),
        ),
    ),
    _rule(
        "assigned",
        _WORDS + _TAIL + rb"(?:=|[ \t]{0,24}(?::(?![?+=-])|[?:+]=|\xef\xbc\x9a|\xe3\x81\xaf|\xe6\x98\xaf|\xe4\xb8\xba)[ \t]{0,24}|[ \t]{1,24}=[ \t]{1,24})" + _BARE + _ENDS,
        (
            assigned("SERVICE_TOKEN", _RANDOM),
            assigned("password", _STRONG, form="  {name}: {value}\n"),
            assigned("export APP_SECRET", hexa(32)),
            assigned("spring.mail.password", _STRONG, form="{name} = {value}\n"),
            assigned("X-Api-Key", _RANDOM, form='curl -H "{name}: {value}" https://api.corp.io/\n'),
            assigned("DB_PASSWORD", _STRONG, form="{name} ?= {value}\n"),
            assigned("password", _STRONG, form="users: [{name: svc, {name}: {value}}]\n".replace("{name: svc", "{login: svc")),
            assigned("token", _RANDOM, form="12:03 got {name}={value}, expires 3600\n"),
        ),
        (
            assigned("TOKEN_TYPE", "authorization-code"),
            assigned("password", "self.config.password"),
            assigned("API_KEY", "key12"),
            assigned("secret_file", "/run/secrets/app.key"),
            assigned("token", "Authentication", form="{name}: {value} failed for the user\n"),
        ),
        whole=True,
    ),
    _rule(
        "long",
        _WORDS + _TAIL + rb"(?:" + _GIVEN + rb"|=|[ \t]{0,24}:[ \t]{0,24}|[ \t]{1,24}=[ \t]{1,24})(?P<secret>(?!LS0tLS1CRUdJTi)[A-Za-z0-9+/_.~|*!-]{201,4096}={0,2})(?![A-Za-z0-9+/_.~|*!(=-])",
        (
            assigned("refresh_token", an(420), form='{name} = "{value}"\n'),
            assigned("REFRESH_TOKEN", concat("Atzr|", an(310))),
            json_member("access_token", concat(an(200), "-", an(180), "_", an(90))),
            assigned("client_secret", an(1200), form="  {name}: {value}\n"),
        ),
        (
            assigned("refresh_tokens", an(420), form='{name}, "{value}"\n'),
            assigned("token_table", concat("abc/def/" * 60), form='{name} = "{value}"\n'),
            assigned("colour", an(420), form='{name} = "{value}"\n'),
            assigned("public_key", an(420), form='{name} = "{value}"\n'),
        ),
        anchor=_WORDS + _TAIL + rb"(?:" + _GIVEN + rb"|=|[ \t]{0,24}:[ \t]{0,24}|[ \t]{1,24}=[ \t]{1,24})[A-Za-z0-9+/_.~|*!-]{40}",
        window=4_600,
    ),
    _rule(
        "pair",
        _WORDS + rb"[A-Za-z0-9_.-]{0,24}=" + _BARE + rb"[ \t](?=[^ \t\r\n])",
        (
            assigned("ansible_ssh_pass", _STRONG, form="web1 ansible_user=root {name}={value} ansible_port=22\n"),
            assigned("API_TOKEN", _RANDOM, form="{name}={value} ./run --all\n"),
            assigned("password", _STRONG, form='DSN = "host=db3.corp.io {name}={value} dbname=shop"\n'),
        ),
        (
            assigned("password", "hashed_password", form="run {name}={value} x\n"),
            assigned("token_url", _RANDOM, form="run {name}={value} x\n"),
            assigned("API_TOKEN", "$TOKEN", form="{name}={value} ./run --all\n"),
        ),
        whole=True,
    ),
    _rule(
        "element",
        _WORDS + rb"[A-Za-z0-9_.-]{0,24}(?:[\"']?" + _ATTRIBUTES + rb">\s{0,20}(?:<[Vv]alue>\s{0,20})?|</key>\s{0,20}<string>)" + _BARE + rb"\s{0,20}</",
        (
            assigned("password", _STRONG, form="<server><id>corp</id><{name}>{value}</{name}></server>\n"),
            assigned("apiKey", _RANDOM, form="<{name}>{value}</{name}>\n"),
            assigned("wsse:Password", _RANDOM, form="<{name}>{value}</{name}>\n"),
            assigned("api_key", _RANDOM, form='<string name="{name}">{value}</string>\n'),
            assigned("wsse:Password", _STRONG, form='<{name} Type="#PasswordText">{value}</{name}>\n'),
            assigned("auth_secret", _RANDOM, form='<string name="{name}" translatable="false">{value}</string>\n'),
            assigned("password", _STRONG, form='<property name="{name}"><value>{value}</value></property>\n'),
            assigned("APIToken", _RANDOM, form="<key>{name}</key>\n\t<string>{value}</string>\n"),
        ),
        (
            assigned("password", "${env.REPO_PASSWORD}", form="<{name}>{value}</{name}>\n"),
            assigned("password", "Kennwort-aendern", form="<{name}>{value}</{name}>\n"),
            assigned("colour", _RANDOM, form="<{name}>{value}</{name}>\n"),
        ),
        anchor=_WORDS + _TAIL + rb"(?:[\"']?" + _ATTRIBUTES + rb">\s{0,20}(?:<[Vv]alue>\s{0,20})?|</key>\s{0,20}<string>)[A-Za-z0-9!#$%&*+./:=?@^_~|-]{6,200}\s{0,20}<",
    ),
    _rule(
        "name-and-value",
        rb"(?i:name|key)[\"']?\s{0,2}[:=]\s{0,2}[\"']?[A-Za-z0-9_.:-]{0,30}?" + _WORDS + rb"[A-Za-z0-9_-]{0,12}(?:[\"']?,?\s{1,30}[\"']?|[\"'],[\"'])(?i:value|content)[\"']?\s{0,2}[:=]\s{0,2}[\"']?"
        rb"(?P<secret>[A-Za-z0-9!#%&(-\[\]-_|~{][!#-&(-\[\]-_a-~]{5,199})(?:(?=[\"'])|(?<![,;)}\]])(?=\s))",
        (
            assigned("API_TOKEN", _RANDOM, form="        - name: {name}\n          value: {value}\n"),
            assigned("DB_PASSWORD", _STRONG, form='{"name": "{name}", "value": "{value}"}\n'.replace("{\"name\"", "[\"name\"").replace('"}\n', '"]\n')),
            assigned("ApiKey", _RANDOM, form='<add key="{name}" value="{value}"/>\n'),
            assigned("refresh_token", _RANDOM, form='[{{"key":"{name}","value":"{value}","type":"secret"}}]\n'.replace("{{", "{").replace("}}", "}")),
            assigned("api-token", _RANDOM, form='<meta name="{name}" content="{value}">\n'),
        ),
        (
            assigned("API_TOKEN", "kubernetes-default", form="        - name: {name}\n          value: {value}\n"),
            assigned("API_COLOUR", _RANDOM, form="        - name: {name}\n          value: {value}\n"),
            assigned("API_TOKEN", "$(OTHER_TOKEN)", form="        - name: {name}\n          value: {value}\n"),
        ),
        # without what stands before the word, nor `value`: both are in every file
        anchor=_WORDS + rb"[A-Za-z0-9_-]{0,12}(?:[\"']?,?\s{1,30}[\"']?|[\"'],[\"'])[A-Za-z]{5,7}[\"']?\s{0,2}[:=]\s{0,2}[\"']?[A-Za-z0-9!#%&(-\[\]-_|~{][!#-&(-\[\]-_a-~]{5}",
    ),
    _rule(
        "option",
        rb"(?<![A-Za-z0-9-])(?:--(?:[a-z0-9]{1,20}-){0,3}(?:[a-z]{1,12}(?=pass|token|secret))?" + _OPTION + rb"|-(?:[Pp]assword|[Pp]asswd|[Pp]assphrase|[Ss]ecret|[Tt]oken|[Aa]pi[Kk]ey|[Aa]ccessToken|[Cc]lientSecret)[ =][\"']?)" + _BARE + rb"(?=[\s\"'`\\]|\Z)",
        (
            assigned("--password", _STRONG, form="tool login --user svc {name} {value} host\n"),
            assigned("--api-key", _RANDOM, form="tool {name}={value}\n"),
            assigned("--auth-token", _RANDOM, form="RUN tool {name} '{value}' sync\n"),
            assigned("--password", _STRONG, form='      args: ["--user", "svc", "{name}", "{value}"]\n'),
            assigned("--token", _RANDOM, form='        - "{name}"\n        - "{value}"\n'),
            assigned("-Password", _STRONG, form="Connect-Shop -Credential svc {name} {value}\n"),
        ),
        (
            assigned("--password", "$PASSWORD", form="tool {name} {value}\n"),
            assigned("--token", "--verbose", form="tool {name} {value}\n"),
            assigned("--colour", _RANDOM, form="tool {name} {value}\n"),
            assigned("--password", "read-from-keyring", form="tool {name} {value}\n"),
        ),
        anchor=rb"-(?:" + _OPTION + rb"|(?:[Pp]assword|[Pp]asswd|[Pp]assphrase|[Ss]ecret|[Tt]oken|[Aa]pi[Kk]ey|[Aa]ccessToken|[Cc]lientSecret)[ =][\"']?)[A-Za-z0-9!#%&*+./:=?@^_~|-]{8}",
    ),
    _rule(
        "query",
        rb"[?&](?i:api_?key|access_?token|auth_?token|token|secret|client_?secret|password|passwd|pwd|app_?key|signature_?key|private_?token|key)=(?P<secret>[A-Za-z0-9._~%+/-]{12,300})(?=[&\s\"'`<>)\]};,#\\]|\Z)",
        (
            text("GET /v1/items?api_key=", part("secret", _RANDOM), "&limit=3 HTTP/1.1\n"),
            text("curl 'https://api.corp.io/v1?limit=3&access_token=", part("secret", _RANDOM), "'\n"),
            text("url: https://api.corp.io/hook?token=", part("secret", hexa(40)), "\n"),
        ),
        (
            text("GET /v1/items?api_key={api_key}&limit=3\n"),
            text("GET /v1/items?token=next-page-of-items&limit=3\n"),
            text("GET /v1/items?page=", _RANDOM, "&limit=3\n"),
        ),
        score=46,
    ),
)  # fmt: skip
