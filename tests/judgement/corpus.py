"""Labelled lines: credentials and what looks like them, in the ways that people write both. Made from seeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from judgement import forms, values
from judgement.forms import Form
from judgement.values import Maker

from keyward.plugin.shapes import Dice

PASSWORD_NAMES = (
    "password", "db_password", "DB_PASS", "PASSWORD", "passwd", "userPassword", "smtpPassword", "ADMIN_PWD", "pwd", "passphrase", "ftp_pass", "root_password",
    "contraseña", "senha", "passwort", "kennwort", "mot_de_passe", "密码", "пароль", "wachtwoord", "hasło", "lösenord", "parola", "adgangskode", "salasana",
)  # fmt: skip
TOKEN_NAMES = (
    "api_key", "apiKey", "API_KEY", "secret", "SECRET_KEY", "client_secret", "clientSecret", "access_token", "accessToken", "AUTH_TOKEN", "token", "auth_token",
    "secret_key_base", "private_token", "appSecret", "jwtSecret", "signingKey", "encryption_key", "consumerSecret", "X_API_KEY", "bot_token", "masterKey",
)  # fmt: skip
WEAK_NAMES = ("key", "auth", "credentials", "AUTH_KEY", "appkey", "apikeys", "consumer_key", "authKey", "aes_key")
SALT_NAMES = ("salt", "SALT", "password_salt", "hash_salt", "nonce", "seed", "NONCE_SALT", "master_seed", "iv")
OTHER_NAMES = (
    "colour",
    "title",
    "checksum",
    "sha256",
    "revision",
    "commit",
    "build_id",
    "etag",
    "digest",
    "request_id",
    "image",
    "name",
    "session_id",
    "integrity",
    "uuid",
    "id",
)
TELLTALE_NAMES = (
    "token_url", "password_field", "passwordLabel", "next_token", "nextPageToken", "public_key", "publishable_key", "token_type", "secret_name", "password_hash", "csrf_token",
    "passwordInput", "tokenId", "key_id", "secretArn", "password_reset", "tokenizer", "forgotPassword", "pad_token", "passwordRegex", "primary_key", "access_key_id", "client_id",
)  # fmt: skip


class Case(NamedTuple):
    """A text, the value in it, and whether it is a credential. `category`, `kind`: of the name and of the value, for the tables."""

    category: str
    kind: str
    path: str
    text: str
    value: str
    real: bool


def _fits(form: Form, value: str) -> bool:
    """Whether the value can be written that way without escapes."""
    if form.quoted:
        return not set(value) & set("\"'`\\$")
    return not set(value) & set("\"'`\\ #&;|<>$()*!?%{}[]@")


def _cases(
    category: str, names: Sequence[str], where: Sequence[Form], makers: Sequence[Maker], real: bool, count: int, seed: int
) -> Iterator[Case]:
    """`count` cases: forms, names and makers are gone through in turn, so that each occurs."""
    dice = Dice(seed)
    made = tries = 0
    while made < count and tries < count * 30:
        form, maker = where[tries % len(where)], makers[(tries // 3 + tries) % len(makers)]
        name = names[dice.below(len(names))]
        tries += 1
        value = maker.make(dice)
        if real and not _fits(form, value):
            continue
        if (
            form.path.endswith(("bat", "h", "go", "java", "kt", "m", "cs", "swift", "scala", "rs", "pl", "php", "rb"))
            and not name.isascii()
        ):
            continue
        text = form.text.replace("{n}", name).replace("{v}", value)
        made += 1
        yield Case(category, maker.name, form.path, f"# first line\n{text}# last line\n", value, real)


def cases(shift: int = 0) -> list[Case]:
    """The whole corpus. `shift`: another one of the same kind, for a look at values that the weights were not chosen on."""
    everywhere = (*forms.CODE, *forms.SETTINGS, *forms.SCRIPTS, *forms.NOTES)
    config = (*forms.SETTINGS, *forms.SCRIPTS[:6])
    found: list[Case] = []

    def add(
        category: str, names: Sequence[str], where: Sequence[Form], makers: Sequence[Maker], real: bool, count: int
    ) -> None:
        found.extend(_cases(category, names, where, makers, real, count, 1000 * shift + 7 * len(found)))

    add("password", PASSWORD_NAMES, everywhere, values.PASSWORDS, True, 220)
    add("password, special form", PASSWORD_NAMES, forms.PASSWORD_ONLY, values.PASSWORDS, True, 84)
    add("token or key", TOKEN_NAMES, everywhere, (*values.TOKENS, *values.SHORT_TOKENS), True, 220)
    add("header or query", TOKEN_NAMES, forms.HEADERS, values.TOKENS, True, 42)
    add("weak name", WEAK_NAMES, everywhere, values.TOKENS, True, 60)
    add("salt, seed, nonce", SALT_NAMES, everywhere, values.SALTS, True, 60)
    add("uuid", TOKEN_NAMES, everywhere, values.UUIDS, True, 50)
    add("url", PASSWORD_NAMES, forms.URLS, values.PASSWORDS, True, 56)

    every_secret_name = (*PASSWORD_NAMES, *TOKEN_NAMES, *WEAK_NAMES, *SALT_NAMES)
    add("placeholder", (*PASSWORD_NAMES, *TOKEN_NAMES), everywhere, values.PLACEHOLDERS, False, 220)
    add("placeholder, special form", PASSWORD_NAMES, forms.PASSWORD_ONLY, values.PLACEHOLDERS, False, 60)
    add("words", every_secret_name, everywhere, values.WORDS, False, 300)
    add("reference", every_secret_name, (*everywhere, *forms.PASSWORD_ONLY, *forms.HEADERS), values.REFERENCES, False, 200)
    add("no secret by its form", every_secret_name, everywhere, values.NOT_SECRETS, False, 160)
    add("another name", OTHER_NAMES, everywhere, (*values.TOKENS, *values.UUIDS), False, 120)
    add("a name that tells", TELLTALE_NAMES, everywhere, (*values.TOKENS, *values.UUIDS, *values.WORDS), False, 140)
    add("words in settings", TOKEN_NAMES, config, values.WORDS, False, 60)
    found.extend(_code_that_names(shift))
    return found


_EXPRESSIONS = (
    "src/a.py|password = getpass.getpass()", "src/a.py|token = generate_token(user, 3600)", "src/a.py|self.password = hashed_password1", "src/a.go|password := os.Getenv(key2)",
    "src/A.java|String token = request.getHeader(AUTH_HEADER);", "src/a.js|const apiKey = config.apiKey2 || defaults;", "src/a.ts|  password: string;", "src/a.ts|  accessToken?: string | null;",
    "src/a.rs|let secret = secrets::token_hex16(n);", "src/a.php|$password = $_POST['password1'];", "src/a.rb|  password: params[:user][:password1]", "src/a.c|char *password = strdup(argv1);",
    "src/a.py|password = data['password2']", "src/a.cs|Password = model.NewPassword1,", "src/a.kt|val token = prefs.getToken2()", "src/a.sh|PASSWORD=$(openssl rand -hex 16)",
    "src/a.sh|TOKEN=`cat /run/token`", "src/a.yml|  password: !vault |", "src/a.yml|  token: *default_token1", "src/a.sql|password VARCHAR2(255) NOT NULL,", "src/a.html|<input type=\"password\" name=\"password1\" id=\"passwordField1\">",
    "src/a.html|<label for=\"password\">Password2:</label>", "i18n/fr.json|  \"password\": \"Mot2passe oublié\",", "locale/de/app.po|msgid \"Password\" msgstr \"Kennwort2024\"", "package-lock.json|  \"integrity\": \"sha512-{hash}\"",
    "yarn.lock|  token \"{hash}\"", "go.sum|github.com/corp/secret v1.2.3 h1:{hash}=", "src/a.py|assert token_hash == '{hash}'", "src/a.py|KEY_FINGERPRINT = '{hash}'", "docs/a.md|password: at least 8 characters",
    "docs/a.md|The token: Authentication1 is required for this call", "src/a.js|$('#password2').val()", "src/a.css|.password-field2 { color: red }", "src/a.py|secret_names = ['alpha1', 'beta2']",
    "src/a.jsx|<Input type='password' placeholder='Password123' />", "src/a.tf|  password = var.db_password2", "src/a.tf|  secret = aws_secretsmanager_secret.db2.arn", "src/a.yml|    secretName: db-credentials-v2",
    "src/a.yml|    secretKeyRef: { name: db-v2, key: password2 }", "src/a.py|raise ValueError('token: expected_identifier2')", "src/a.json|  \"token\": { \"type\": \"string\", \"example\": \"abc\" }", "src/a.proto|  string access_token = 12;",
    "src/a.go|Token string `json:\"token\" db:\"token_v2\"`", "src/a.java|@Value(\"${app.token2}\") private String token;", "src/a.py|password_validators = 'django.contrib.auth2.validators'", "src/min.min.js|var token=\"{hash}\",b=2;",
)  # fmt: skip


def _code_that_names(shift: int) -> list[Case]:
    dice = Dice(31 + shift)
    found = []
    for number in range(2 * len(_EXPRESSIONS)):
        path, _, line = _EXPRESSIONS[number % len(_EXPRESSIONS)].partition("|")
        digest = values.TOKENS[1].make(dice)
        found.append(
            Case(
                "code that names",
                "expression",
                path,
                f"# first line\n{line.replace('{hash}', digest)}\n# last line\n",
                digest,
                False,
            )
        )
    return found
