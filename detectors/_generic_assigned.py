"""Generic rules for what is assigned to a name: in quotes, bare, escaped, on the next line, drawn at random, long."""

from __future__ import annotations

from keyward.plugin.shapes import an, assigned, chars, concat, hexa, json_member, uuid4

from ._generic_words import BARE, BARE_REST, FEWER_WORDS, IN_QUOTES, PASSWORD, RANDOM, STRONG, TAIL, WORDS, rule

_TYPED = rb"(?:[ \t]{0,2}:?[ \t]{1,2}(?:As )?&?[A-Za-z][A-Za-z0-9_.]{0,20})?"
_OPERATOR = rb"(?:===?|!==?|:=|=>|=|:|\xef\xbc\x9a|\|\||\?[?:]|or(?=[ \t]))"
_SPACES = rb"[ \t]{0,24}"
"""Around a sign of assignment: many people align what they assign, and the formatters of Go and Terraform do it for all."""

_GIVEN = (
    rb"(?:(?:[\"'`][\])]?|[*_]{1,2}|"
    + _TYPED
    + rb")" + _SPACES
    + _OPERATOR
    + rb"[*_]{0,2}|[\"'`](?:[ \t]{0,2},(?: with:)?|[ \t])|[ \t])" + _SPACES + rb"(?:\[\]byte\(|Some\(|SecretStr\(|<<|Buffer\.from\(|String\()?[rbufNL@]?(?:\"\"\"|'''|\"\\\"|'\"|\\?[\"'`])"
)
"""Between a name and a value in quotes: `name = "`, `"name": "`, `name: str = "`, `define('name', '`, `#define name "`, `**name**: ``, `name == "`,
`getenv('NAME') or "`."""

_GIVEN_PLAINLY = rb"(?:[\"'`]\]?|" + _TYPED + rb")" + _SPACES + _OPERATOR + _SPACES
_SIGN = rb"(?:=|[ \t]{0,24}(?::(?![?+=-])|[?:+]=|\xef\xbc\x9a|\xe3\x81\xaf|\xe6\x98\xaf|\xe4\xb8\xba)[ \t]{0,24}|[ \t]{1,24}=[ \t]{1,24})"
_ENDS = rb"(?:[\"'`;\r\n]|\Z|\\{1,4}[nrt\"']|\\par|</|[ \t]\(|[ \t]{1,8}(?:[#;}\r\n]|\\\n|&&|-H |--|https?:))"
_ENDS_IN_LISTS = rb"(?:[,)}\]]{1,3}(?:[\s\"']|\Z)|,[a-z_]{2,20}[=,\s])"
"""What ends arguments in programs as well, where a value without quotes and digits is a name."""
_WEAK = rb"(?:(?:[Kk]ey|[Ss](?:alt|eed)|[Nn]once|[Aa]uth)(?![a-z])|(?:KEY|SALT|SEED|NONCE|AUTH)(?![A-Z])|(?<![A-Za-z])(?:iv|IV)(?![A-Za-z]))"
"""Names that hold other things as often; what they are given counts only where a machine drew it."""

_DRAWN_IN_QUOTES = rb"[A-Za-z0-9+/_-]{16,200}={0,2}[\"'`]"
_DRAWN_BARE = rb"[A-Za-z0-9+/_-]{20,200}={0,2}(?:[\"'`;\r\n]|\Z|\\{1,4}[nrt\"'])"
_LONGER = rb"(?:[Kk]ey|[Ss](?:alt|eed)|[Nn]once|[Aa]uth|KEY|SALT|SEED|NONCE|AUTH)[A-Za-z0-9_]{0,12}"
_AFTER_IV = (rb"[_:= ]", rb"[\"'`\t]", rb"[!|?,]", rb"[*\xef01]", rb"[2345]", rb"[6789]")
_IVS = tuple(name + after + rb"[^\r\n]{0,60}?" for name in (b"iv", b"IV") for after in _AFTER_IV)
"""With what can follow it, four bytes at a time, which Hyperscan spells out: `iv` alone is in every second line of a program."""

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
    rule(
        "quoted",
        rb"(?:" + WORDS + TAIL + rb"|(?i:identified by|convertto-securestring(?: -(?:string|asplaintext|force)){0,3}))" + _GIVEN + IN_QUOTES + rb"(?:[\"'`]|\\[\"'`](?![A-Za-z0-9!#$%&*+@^_~-]))",
        (
            assigned("api_key", RANDOM, form='{name} = "{value}"\n'),
            json_member("accessToken", RANDOM),
            assigned("DB_PASS", STRONG, form="define('{name}', '{value}');\n"),
            assigned("pass", STRONG, form="auth: { user: 'svc', {name}: '{value}' }\n"),
            assigned("dbPassword", STRONG, form='const {name}: string = "{value}";\n'),
            assigned("secret", hexa(40), form="  {name}: '{value}'\n"),
            assigned("wachtwoord", STRONG, form="{name} := '{value}'\n"),
            assigned("password", STRONG, form='if ({name} === "{value}") {{\n'.replace("{{", "{")),
            assigned("API_SECRET", RANDOM, form='#define {name} "{value}"\n'),
            assigned("JWT_SECRET", RANDOM, form="const value = process.env.{name} || '{value}';\n"),
            assigned("IDENTIFIED BY", STRONG, form="CREATE USER shop {name} '{value}';\n"),
            assigned("ADMIN_PASSWORD", STRONG, form="- **{name}**: `{value}`\n"),
            assigned("hmacSecret", RANDOM, form='var {name} = []byte("{value}")\n'),
            assigned("DB_PASSWORD", STRONG, form="$password = getenv('{name}') ?: '{value}';\n"),
            assigned("DB_PASSWORD", STRONG, form='password = os.getenv("{name}") or "{value}"\n'),
        ),
        _MISSES,
    ),
    rule(
        "passphrase",
        PASSWORD + _GIVEN + _WORDS_IN_QUOTES + rb"[\"'`]",
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
    rule(
        "escaped",
        WORDS + TAIL + _GIVEN_PLAINLY + _ESCAPED,
        (
            assigned("password", concat(STRONG, "\\\\", an(3)), form='{name} = "{value}"\n'),
            json_member("dbPassword", concat(STRONG, '\\"', an(3))),
            json_member("password", concat(STRONG, "\\u0026", an(3))),
            assigned("API_TOKEN", concat(an(12), "\\/", an(16)), form='{name}: "{value}"\n'),
        ),
        (
            assigned("password_regex", concat("^[a-z]\\\\", STRONG), form='{name} = "{value}"\n'),
            assigned("secret_file", "C:\\\\keys\\\\application.key", form='{name} = "{value}"\n'),
            assigned("password", "first\\nsecond", form='{name} = "{value}"\n'),
            assigned("colour", concat(STRONG, "\\\\", an(3)), form='{name} = "{value}"\n'),
        ),
    ),
    rule(
        "next-line",
        FEWER_WORDS + _GIVEN_ABOVE + rb"\(?\r?\n[ \t]{0,60}[rbufNL@]?[\"'`]" + IN_QUOTES + rb"[\"'`][ \t]{0,2}(?:[,;)}\r\n]|\Z)",
        (
            assigned("password", RANDOM, form='"{name}":\n    "{value}",\n'),
            assigned("apiKey", RANDOM, form='const {name}: string =\n  "{value}";\n'),
            assigned("API_TOKEN", RANDOM, form='{name} = (\n    "{value}"\n)\n'),
        ),
        (
            assigned("password", "Enter-your-own", form='"{name}":\n    "{value}",\n'),
            assigned("colour", RANDOM, form='"{name}":\n    "{value}",\n'),
            assigned("token", "identifier", form='{name} =\n    "{value}",\n'),
        ),
        score=34,  # what the rest of the name says is not seen, so a drawn password counts in settings only, and nothing in tests
    ),
    rule(
        "next-line-bare",
        FEWER_WORDS + _BLOCK + rb"[ \t]{1,60}(?!- )" + BARE + rb"(?<!:)[ \t]{0,2}(?:[\r\n]|\Z)",
        (
            assigned("password", STRONG, form="db:\n  {name}:\n    {value}\n"),
            assigned("api_token", RANDOM, form="{name}: >-\n  {value}\nuser: svc\n"),
            assigned("client_secret", RANDOM, form="{name}: |\n  {value}\n"),
        ),
        (
            assigned("password", "description:", form="{name}:\n  {value}\n    of it\n"),
            assigned("token", "authentication-code", form="{name}:\n  {value}\n"),
            assigned("token", RANDOM, form="{name}:\n{value}\n"),
        ),
        # a class instead of two options: a fifth of the states; the end of a short value's line: what most lines of programs do not have there
        anchor=FEWER_WORDS + rb":[ >|+-]{0,3}\r?\n[ \t]{1,60}[A-Za-z0-9!#%&*+./:=?@^_~|-]" + BARE_REST + rb"{5}(?:" + BARE_REST + rb"{7}|" + BARE_REST + rb"{0,6}[ \t]{0,2}(?:[\r\n]|\Z))",
    ),
    rule(
        "drawn",
        _WEAK + rb"[A-Za-z0-9_]{0,12}" + _GIVEN + rb"(?P<secret>[A-Za-z0-9+/_-]{16,200}={0,2})[\"'`]",
        (
            assigned("AUTH_KEY", RANDOM, form="define('{name}', '{value}');\n"),
            assigned("password_salt", hexa(32), form='{name} = "{value}"\n'),
            assigned("aes_key", RANDOM, form='"{name}": "{value}"\n'),
        ),
        (
            assigned("key", "start-date-of-item", form='{name} = "{value}"\n'),
            assigned("publicKey", RANDOM, form='{name} = "{value}"\n'),
            assigned("seed", an(14), form='{name} = "{value}"\n'),
            assigned("primary_key", uuid4(), form='{name} = "{value}"\n'),
        ),
        whole=True,
        anchor=_LONGER + _GIVEN + _DRAWN_IN_QUOTES + b"".join(b"|" + iv + _DRAWN_IN_QUOTES for iv in _IVS),
    ),
    rule(
        "drawn-bare",
        _WEAK + rb"[A-Za-z0-9_]{0,12}(?:=|: {0,2}| = )(?P<secret>[A-Za-z0-9+/_-]{20,200}={0,2})(?:[\"'`;\r\n]|\Z|\\{1,4}[nrt\"'])",
        (
            assigned("AUTH_SALT", RANDOM, form="{name}={value}\n"),
            assigned("key", hexa(40), form="  {name}: {value}\n"),
            assigned("seed", RANDOM, form="{name} = {value}\n"),
        ),
        (
            assigned("key", "start-date-of-the-first-item", form="  {name}: {value}\n"),
            assigned("sort_key", RANDOM, form="  {name}: {value}\n"),
            assigned("keyword", an(12), form="  {name}: {value}\n"),
        ),
        whole=True,
        anchor=_LONGER + rb"(?:=|: {0,2}| = )" + _DRAWN_BARE + b"".join(b"|" + iv + _DRAWN_BARE for iv in _IVS),
    ),
    rule(
        "assigned",
        WORDS + TAIL + _SIGN + BARE + rb"(?:" + _ENDS + rb"|" + _ENDS_IN_LISTS + rb")",
        (
            assigned("SERVICE_TOKEN", RANDOM),
            assigned("password", STRONG, form="  {name}: {value}\n"),
            assigned("export APP_SECRET", hexa(32)),
            assigned("spring.mail.password", STRONG, form="{name} = {value}\n"),
            assigned("X-Api-Key", RANDOM, form='curl -H "{name}: {value}" https://api.corp.io/\n'),
            assigned("DB_PASSWORD", STRONG, form="{name} ?= {value}\n"),
            assigned("password", STRONG, form="users: [{name: svc, {name}: {value}}]\n".replace("{name: svc", "{login: svc")),
            assigned("token", RANDOM, form="12:03 got {name}={value}, expires 3600\n"),
        ),
        (
            assigned("TOKEN_TYPE", "authorization-code"),
            assigned("password", "self.config.password"),
            assigned("API_KEY", "key12"),
            assigned("secret_file", "/run/secrets/app.key"),
            assigned("token", "Authentication", form="{name}: {value} failed for the user\n"),
        ),
        anchor=WORDS + TAIL + _SIGN + rb"(?:" + BARE.replace(b"?P<secret>", b"?:") + _ENDS + rb"|" + BARE_REST + rb"{0,60}[0-9]" + BARE_REST + rb"{0,140}" + _ENDS_IN_LISTS + rb")",
        window=300,
    ),
    rule(
        "long",
        WORDS + TAIL + rb"(?:" + _GIVEN + rb"|=|[ \t]{0,24}:[ \t]{0,24}|[ \t]{1,24}=[ \t]{1,24})(?P<secret>(?!LS0tLS1CRUdJTi)[A-Za-z0-9+/_.~|*!-]{201,4096}={0,2})(?![A-Za-z0-9+/_.~|*!(=-])",
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
        anchor=WORDS + TAIL + rb"(?:" + _GIVEN + rb"|=|[ \t]{0,24}:[ \t]{0,24}|[ \t]{1,24}=[ \t]{1,24})[A-Za-z0-9+/_.~|*!-]{40}",
        window=4_600,
    ),
    rule(
        "pair",
        WORDS + rb"[A-Za-z0-9_.-]{0,24}=" + BARE + rb"[ \t](?=[^ \t\r\n])",
        (
            assigned("ansible_ssh_pass", STRONG, form="web1 ansible_user=root {name}={value} ansible_port=22\n"),
            assigned("API_TOKEN", RANDOM, form="{name}={value} ./run --all\n"),
            assigned("password", STRONG, form='DSN = "host=db3.corp.io {name}={value} dbname=shop"\n'),
        ),
        (
            assigned("password", "hashed_password", form="run {name}={value} x\n"),
            assigned("token_url", RANDOM, form="run {name}={value} x\n"),
            assigned("API_TOKEN", "$TOKEN", form="{name}={value} ./run --all\n"),
        ),
        whole=True,
    ),
)  # fmt: skip
