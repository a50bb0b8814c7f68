"""Generic rules for program code: calls, defaults, serialized settings, what is typed into forms, what signs."""

from __future__ import annotations

from keyward.plugin.shapes import assigned, part, text, uuid4

from ._generic_words import IN_QUOTES, LANGUAGES, RANDOM, STRONG, TAIL, WORDS, rule

_ARGUMENT = rb"[ \t]{0,2}(?:[^,\"'()\n]{1,60}(?:\([^()\n]{0,120}\))?|[rbufNL@]?(?:\"[^\"\n]{0,200}\"|'[^'\n]{0,200}'))[ \t]{0,2},"
_KEYED = (
    rb"(?:Algorithm\.HMAC\d{3}\(|[sS]ignWith\([^,\n]{1,60},[ \t]{0,2}|[sS]etSigningKey\(|new SecretKeySpec\(|createHmac\([ \t]?[\"'][\w-]{3,10}[\"'],[ \t]{0,2}|SignedString\(|\bFernet\(|hmac\.new\([ \t]?|hmac\.New\([^,\n]{1,40},[ \t]{0,2}|"
    rb"\bjwt\.(?:sign|verify|encode|decode)\([^,\"'\n]{1,80},[ \t]{0,2}|JWT::(?:en|de)code\([^,\"'\n]{1,80},[ \t]{0,2}|JWT\.(?:en|de)code[ (][^,\"'\n]{1,80},[ \t]{0,2}|CryptoJS\.(?:AES|TripleDES|DES|RC4|Hmac\w{3,8})(?:\.(?:en|de)crypt)?\([^,\n]{1,80},[ \t]{0,2}|SymmetricSecurityKey\()"
)
"""Calls whose next argument signs or encrypts."""

_SECOND = rb"(?:\b[tT]wilio|X509Certificate2?|\.(?:simple_)?bind(?:_s)?|[Cc]redentials[.:]{1,2}basic|basic_auth|WiFi\.begin|softAP|NetworkCredential|UsernamePasswordCredentials?|UsernamePasswordAuthenticationToken|PasswordAuthentication|(?:HTTP|Http)?BasicAuth(?:entication)?|basic_auth|[.>]login|auth[\"']?[ \t]?[:=][ \t]?)"
_THIRD = rb"(?:[.:]connect|DBI->connect|PDO->__construct|PlainAuth|\bConnection|\bdatabase|create_(?:super)?user|set_password|DirectoryEntry|mysqli?_p?connect|new mysqli|new PDO|getConnection|pg_connect|ftp_login)"
_FOURTH = rb"mysqli?_real_connect"
_IN_REFERENCE = rb"(?::?[-=]|:)[\"']?(?P<secret>[A-Za-z0-9!#%&*./@^_~|][A-Za-z0-9!#$%&*+./:=?@^_~|-]{5,199})[\"']?\}"
"""`${NAME:-value}` of shells and compose files, `${NAME:value}` of Spring: what counts where nothing else is set."""

_QUOTABLE = rb"[!#-&(-\[\]-_a-~]"
_ENTERED = rb"(?:\"(?:text|input|keys)\":[ ]?\"|\"ref\":[ ]?\"[^\"\n]{1,16}\",[ ]?\"value\":[ ]?\")"
"""What an agent's call or a recorded step says that it types."""

_TYPED = rb"[!#-&(-\[\]-_a-z|~]{0,40}(?:[A-Za-z][0-9!#$%&*+=?@^~|]|[0-9!#$%&*+=?@^~|][A-Za-z])"
"""What no label of a field looks like: a letter beside a digit or a mark."""

_DEFAULT = rb"(?<![A-Za-z])(?:[Dd]efault(?:_?[Vv]alue)?|fallback)[\"']?[ \t]{0,8}[:=(][ \t]{0,4}"
_UP_TO_THE_DEFAULT = (
    rb"(?:[^\n;}]{0,90}?|[\"']?[ \t]{0,2}[:=]?[ \t]{0,2}\{?[ \t]{0,2}\r?\n(?:[ \t]{1,24}[\"']?[A-Za-z_][^\n{}]{0,120}\n){0,5}[ \t]{1,24}[\"']?)"
)
"""What stands between a name and the word `default`: the rest of a call, of an object on its line, or a block's lines (Terraform, schemas)."""


RULES = (
    rule(
        "called",
        WORDS + TAIL + rb"\([ \t]{0,2}[rbufNL@]?[\"'`]" + IN_QUOTES + rb"[\"'`][ \t]{0,2}[,)]",
        (
            assigned("setPassword", STRONG, form='certificate.{name}("{value}");\n'),
            assigned("password", STRONG, form='builder.username("svc").{name}("{value}").build();\n'),
            assigned("apiKey", RANDOM, form="client = Client.{name}('{value}')\n"),
        ),
        (
            assigned("getPassword", "primary-login", form='store.{name}("{value}")\n'),
            assigned("resetPassword", uuid4(), form='store.{name}("{value}")\n'),
            assigned("setColour", RANDOM, form='store.{name}("{value}")\n'),
            assigned("setPassword", "password123", form='user.{name}("{value}")\n'),
        ),
    ),
    rule(
        "serialized",
        rb"s:\d{1,3}:\\{0,3}\"[\w-]{0,30}?" + WORDS + TAIL + rb"\\{0,3}\";s:\d{1,3}:\\{0,3}\"(?P<secret>[!#-&(-:<-\[\]-_a-~]{6,200})\\{0,3}\";",
        (
            text("'a:2:{s:7:\"enabled\";s:3:\"yes\";s:10:\"secret_key\";s:32:\"", part("secret", RANDOM), "\";}'\n"),
            text('(4,\'opts\',\'a:1:{s:8:\\"password\\";s:13:\\"', part("secret", STRONG), '\\";}\')\n'),
            text('s:9:"api_token";s:32:"', part("secret", RANDOM), '";\n'),
        ),
        (
            text('s:9:"api_token";s:10:"identifier";\n'),
            text('s:6:"colour";s:32:"', RANDOM, '";\n'),
            text('s:9:"api_token";i:7;s:6:"colour";s:32:"', RANDOM, '";\n'),
        ),
    ),
    rule(
        "typed",
        rb"(?:(?:[Pp]?(?i:assw(?:or)?d|asswort|assphrase)|(?i:pwd|kennwort|secure_?text)|" + LANGUAGES + rb")[^\n]{0,80}?(?:\r?\n[^\n]{0,60}?){0,2}?\.(?:fill|type|send_?[kK]eys|typeText|setValue|set_value|sendline|pressSequentially|enterText|input)\([ \t]?[\"'`]|"
        rb"Input Password[ \t]{2,8}\S{1,60}[ \t]{2,8})(?P<secret>[!#-&(-\[\]-_a-z|~]{6,200})(?:\{[a-z]{2,10}\}[\"'`]|[\"'`]|(?=\s))",
        (
            text("await page.getByLabel('Password').fill('", part("secret", STRONG), "');\n"),
            text('driver.find_element(By.ID, "CustomerPassword").send_keys("', part("secret", STRONG), '")\n'),
            text("cy.get('input[name=\"password\"]').type('", part("secret", STRONG), "{enter}')\n"),
            text("child.expect('assword: ')\nchild.sendline('", part("secret", STRONG), "')\n"),
            text("    Input Password    id:pw    ", part("secret", STRONG), "\n"),
        ),
        (
            text("await page.getByLabel('Password').fill('password');\n"),
            text("await page.getByLabel('Name').fill('", STRONG, "');\n"),
            text("await page.getByLabel('Password').fill(secret, '", STRONG, "');\n"),
            text("    Input Password    id:pw    ${PASSWORD}\n"),
        ),
        anchor=rb"(?:\.(?:fill|type|send_?[kK]eys|typeText|setValue|set_value|sendline|pressSequentially|enterText|input)\([ \t]?[\"'`]|Input Password[ \t]{2,8}\S{1,60}[ \t]{2,8})[!#-&(-\[\]-_a-z|~]{6}",
        score=40,
    ),
    rule(
        "entered",
        rb"(?:textbox \"[^\"\n]{0,60}?(?i:passw(?:or)?d|passphrase|passcode|pin|secret|token|api[ _-]?key)[^\"\n]{0,40}\"(?: \[[^\]\n]{1,40}\]){0,6}: \"?|\"(?:selector|element|target|label|field|name|locator|placeholder|id|description|title)\":[ ]?\"[^\"\n]{0,80}?(?:(?i:passw(?:or)?d|passphrase|passcode|pwd|\bpin\b|secret|token|api[ _-]?key|kennwort|passwort)|" + LANGUAGES + rb")[^\"\n]{0,60}\""
        rb"[^{}\n]{0,160}?" + _ENTERED + rb")(?=" + _TYPED + rb")(?P<secret>[!#-&(-\[\]-_a-z|~]{6,200})(?:\"|(?=[\r\n]|\Z))",
        (
            text('{"name":"browser_type","arguments":{"element":"Password field","ref":"e12","text":"', part("secret", STRONG), '","submit":true}}\n'),
            text('{"fields":[{"name":"Password","type":"textbox","ref":"e5","value":"', part("secret", STRONG), '"}]}\n'),
            text('{"action":"type","selector":"input#pwd","text":"', part("secret", STRONG), '"}\n'),
            text('- textbox "Password" [active] [ref=e5]: ', part("secret", STRONG), "\n"),
        ),
        (
            text('{"action":"type","selector":"input#user","text":"', STRONG, '"}\n'),
            text('{"action":"type","selector":"input#pwd","text":"password"}\n'),
            text('{"action":"click","selector":"input#pwd","id":"', STRONG, '"}\n'),
        ),
        anchor=rb"(?:" + _ENTERED + rb"|textbox \"[^\"\n]{1,100}\"(?: \[[^\]\n]{1,40}\]){0,6}: \"?)" + _TYPED,
        score=40,
    ),
    rule(
        "value-first",
        rb"(?:[\"']" + IN_QUOTES + rb"[\"'](?:\.toCharArray\(\)|[ \t]{1,4}TO[ \t]{1,4}[A-Z0-9-]{0,24}(?:PASS|PWD|PASSWD|PASSWORD|SECRET|TOKEN)(?![A-Z])))",
        (
            text('store.load(in, "', part("secret", STRONG), '".toCharArray());\n'),
            text("       MOVE '", part("secret", STRONG), "' TO WS-DB-PASSWD.\n"),
            text("char[] pin = '", part("secret", STRONG), "'.toCharArray();\n"),
        ),
        (
            text('store.load(in, "password".toCharArray());\n'),
            text('store.load(in, "', STRONG, '".toString());\n'),
            text("       MOVE '", STRONG, "' TO WS-DB-USER.\n"),
            text('hex = "0123456789abcdef".toCharArray();\n'),
        ),
        score=40,
    ),
    rule(
        "random-password",
        rb"\"random_(?:password|string)\"[^}]{0,900}?\"result\":[ ]?\"" + IN_QUOTES + rb"\"",
        (
            text('"type": "random_password", "name": "db", "instances": [{"attributes": {"length": 12, "result": "', part("secret", STRONG), '", "special": true}}]\n'),
            text('"type":"random_password","name":"db","instances":[{"attributes":{"result":"', part("secret", STRONG), '"}}]\n'),
            text('  "type": "random_string",\n  "instances": [\n    {\n      "attributes": {\n        "length": 12,\n        "result": "', part("secret", STRONG), '"\n'),
        ),
        (
            text('"type": "random_password", "instances": [{"attributes": {"length": 12}}], "result": "', STRONG, '"\n'),
            text('"type": "random_password", "instances": [{"attributes": {"length": 12, "colour": "', STRONG, '"}}]\n'),
            text('"type": "random_shuffle", "instances": [{"attributes": {"result": "', STRONG, '"}}]\n'),
        ),
    ),
    rule(
        "signing-call",
        _KEYED + rb"(?:\[\]byte\(|Buffer\.from\(|Encoding\.\w{3,8}\.GetBytes\(|[rbufNL@])?[\"'`]" + IN_QUOTES + rb"[\"'`]",
        (
            text("const token = jwt.sign(payload, '", part("secret", RANDOM), "', { expiresIn: '1h' })\n"),
            text('return jwt.encode(claims, "', part("secret", RANDOM), '", algorithm="HS256")\n'),
            text('Algorithm a = Algorithm.HMAC256("', part("secret", RANDOM), '");\n'),
            text("crypto.createHmac('sha256', '", part("secret", RANDOM), "')\n"),
            text('signed, err := token.SignedString([]byte("', part("secret", RANDOM), '"))\n'),
            text('cipher = Fernet(b"', part("secret", RANDOM), '")\n'),
        ),
        (
            text("const token = jwt.sign(payload, 'shared-secret')\n"),
            text("const token = jwt.sign(payload, SECRET, '", RANDOM, "')\n"),
            text('return jwt.encode("', RANDOM, '", key)\n'),
            text("crypto.createHash('sha256', '", RANDOM, "')\n"),
            text('Algorithm a = Algorithm.HMAC256("password");\n'),
        ),
    ),
    rule(
        "positional",
        rb"(?:" + _SECOND + rb"[(\[]" + _ARGUMENT + rb"|" + _THIRD + rb"\(" + _ARGUMENT + _ARGUMENT + rb"|" + _FOURTH + rb"\(" + _ARGUMENT * 3 + rb"|UsernamePasswordCredentialsImpl\(\s{0,20}" + _ARGUMENT * 4 + rb")[ \t]{0,2}(?:Some\()?[rbufNL@]?[\"']" + IN_QUOTES + rb"[\"']",
        (
            text('keyring.set_password("mail", "svc", "', part("secret", STRONG), '")\n'),
            text('mysql_real_connect(db, "10.2.0.9", "svc", "', part("secret", STRONG), '", "orders", 0, NULL, 0)\n'),
            text('cert = new X509Certificate2(Path.Combine(root, "app.pfx"), "', part("secret", STRONG), '");\n'),
            text('WiFi.begin("corp", "', part("secret", STRONG), '");\n'),
            text('client.Credentials = new NetworkCredential("svc", "', part("secret", STRONG), '");\n'),
            text("$db = new PDO('mysql:host=db3.corp.io', 'svc', '", part("secret", STRONG), "');\n"),
            text('get(url, auth=("svc", "', part("secret", STRONG), '"))\n'),
            text("server.login(user, '", part("secret", STRONG), "')\n"),
        ),
        (
            text('client.Credentials = new NetworkCredential("svc", "password");\n'),
            text('get(url, auth=("svc", password))\n'),
            text('get(url, auth=("', STRONG, '", password))\n'),
            text("$db = new PDO('mysql:host=db3.corp.io', 'svc', 'svc');\n"),
        ),
    ),
    rule(
        "in-reference",
        rb"(?:\$\{[A-Za-z0-9_.-]{0,40}?" + WORDS + rb"[A-Za-z0-9_.-]{0,24}?|"
        + WORDS + TAIL + rb"[\"']?[ \t]{0,2}(?:=|:|=>)[ \t]{0,2}[\"']?\$\{[A-Za-z0-9_.-]{1,40}?)" + _IN_REFERENCE,
        (
            assigned("DB_PASSWORD", STRONG, form="    POSTGRES_PASSWORD: ${{name}:-{value}}\n"),
            assigned("API_TOKEN", RANDOM, form='export API_TOKEN="${{name}:={value}}"\n'),
            assigned("DB_PASS", STRONG, form="spring.datasource.password=${{name}:{value}}\n"),
            assigned("jwt.secret", RANDOM, form='@Value("${{name}:{value}}")\n'),
            assigned("PASSWORD", STRONG, form='{name}="${2:-{value}}"\n'),
        ),
        (
            assigned("DB_PASSWORD", STRONG, form="    POSTGRES_PASSWORD: ${{name}:?{value}}\n"),
            assigned("DB_PASSWORD", "password", form="    POSTGRES_PASSWORD: ${{name}:-{value}}\n"),
            assigned("DB_PASSWORD", "${OTHER_PASSWORD}", form="    POSTGRES_PASSWORD: ${{name}:-{value}}\n"),
            assigned("TOKEN_URL", "https://id.corp.io/token", form="url: ${{name}:{value}}\n"),
            assigned("COLOUR", RANDOM, form="colour: ${{name}:-{value}}\n"),
        ),
        # the name is looked for around few hits only
        anchor=rb"\$\{[A-Za-z0-9_.-]{1,60}(?::?[-=]|:)[\"']?[A-Za-z0-9!#%&*./@^_~|][A-Za-z0-9!#$%&*+./:=?@^_~|-]{5,199}[\"']?\}",
    ),
    rule(
        "default",
        WORDS + TAIL + _UP_TO_THE_DEFAULT + _DEFAULT + rb"[rbufNL@]?[\"'`]" + IN_QUOTES + rb"[\"'`]",
        (
            assigned("--password", STRONG, form='parser.add_argument("{name}", help="of the database", default="{value}")\n'),
            assigned("API_SECRET", RANDOM, form='key = config("{name}", default="{value}")\n'),
            assigned("password", STRONG, form="  {name}: str = Field(default='{value}')\n"),
            assigned("db_password", STRONG, form='variable "{name}" {\n  type    = string\n  default = "{value}"\n}\n'),
            assigned("api_token", RANDOM, form='"{name}": {"type": "string", "default": "{value}"},\n'),
            assigned("apiToken", RANDOM, form='{name}:\n  type: string\n  default: "{value}"\n'),
            assigned("db_password", STRONG, form="value: \"{{ {name} | default('{value}') }}\"\n"),
            assigned("password", STRONG, form='settings.get("mail", "{name}", fallback="{value}")\n'),
        ),
        (
            assigned("--password", "changeit", form='parser.add_argument("{name}", help="of the database", default="{value}")\n'),
            assigned("--colour", STRONG, form='parser.add_argument("{name}", help="of the database", default="{value}")\n'),
            assigned("token_url", RANDOM, form='key = config("{name}", default="{value}")\n'),
            assigned("api_token", RANDOM, form='"{name}": {"type": "string"}, "colour": {"default": "{value}"},\n'),
            assigned("db_password", STRONG, form='variable "{name}" {\n  type = string\n}\nvariable "region" {\n  default = "{value}"\n}\n'),
        ),
        # the name is looked for around few hits only: of what is in quotes after `default`, little has a digit
        anchor=rb"(?:[Dd]efault(?:_?[Vv]alue)?|fallback)[\"']?[ \t]{0,8}[:=(][ \t]{0,4}[rbufNL@]?[\"'`](?:" + b"|".join(_QUOTABLE * n + rb"[0-9]" + _QUOTABLE * (5 - n) for n in range(5)) + rb"|" + _QUOTABLE + rb"{5,40}[0-9])",
    ),
)  # fmt: skip
