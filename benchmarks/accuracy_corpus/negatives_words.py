"""Further negatives: words, code without values, data and bundles."""

from __future__ import annotations

import base64
import json
import random

from accuracy_corpus.drawing import ALPHABETS, chars, some_uuid
from accuracy_corpus.negatives import an, b64, hexa, negative, pick, variable
from accuracy_corpus.words import CODE_VALUES, PROSE, TRANSLATIONS

# ---- words and code


@negative("translations")
def _translations(dice: random.Random, number: int) -> tuple[str, str]:
    rows = [TRANSLATIONS[(number * 5 + at) % len(TRANSLATIONS)] for at in range(5)]
    members = dict(rows)
    path = ("locales/de.json", "i18n/fr.yml", "messages_es.properties", "strings.xml", "lang.php")[number % 5]
    if path.endswith("json"):
        return path, json.dumps(members, ensure_ascii=False, indent=2)
    if path.endswith("yml"):
        return path, "".join(f"{key}: {value}\n" for key, value in members.items())
    if path.endswith("properties"):
        return path, "".join(f"login.{key}={value}\n" for key, value in members.items())
    if path.endswith("xml"):
        return path, "".join(f'<string name="{key}">{value}</string>\n' for key, value in members.items())
    return path, "".join(f"'{key}' => '{value}',\n" for key, value in members.items())


@negative("schemas")
def _schemas(dice: random.Random, number: int) -> tuple[str, str]:
    name = variable(dice).lower()
    return (
        (
            "schema.json",
            json.dumps(
                {"properties": {name: {"type": "string", "description": "The secret that signs tokens", "minLength": 32}}},
                indent=2,
            ),
        ),
        ("openapi.yaml", f"    {name}:\n      type: string\n      format: password\n      description: key of the service\n"),
        ("api.proto", f"message Login {{\n  string password = 1;\n  bytes {name} = 2;\n}}\n"),
        ("schema.graphql", f"input LoginInput {{\n  {name}: String!\n  password: String!\n}}\n"),
        (
            "init.sql",
            f"CREATE TABLE users (\n  password VARCHAR(255) NOT NULL,\n  {name} CHAR(64),\n  api_key_hash BINARY(32)\n);\n",
        ),
        (
            "values.schema.json",
            json.dumps({name: {"title": "Password of the database", "default": "", "$ref": "#/definitions/secretKeyRef"}}),
        ),
    )[number % 6]


@negative("code without values")
def _code(dice: random.Random, number: int) -> tuple[str, str]:
    path, text = CODE_VALUES[number % len(CODE_VALUES)]
    return path, text


@negative("names and paths")
def _paths(dice: random.Random, number: int) -> tuple[str, str]:
    return (
        ("app.yml", "password_file: /run/secrets/db_password\ntoken_path: ~/.config/acme/token.json\nkey: certs/server.key\n"),
        (
            "Main.java",
            'String tokenKey = "com.acme.auth.token.AccessTokenProvider";\nString PASSWORD_KEY = "login.form.password.label";\n',
        ),
        ("routes.rb", "get '/password/reset', to: 'passwords#edit', as: :edit_password\n"),
        (
            "keys.ts",
            "export const STORAGE_KEY = 'acme.session.v2';\nexport const TOKEN_HEADER = 'X-CSRF-Token';\nconst apiKeyHeader = 'x-api-key';\n",
        ),
        (
            "cfg.py",
            'SECRET_NAME = "prod/orders/database"\nTOKEN_URL = "https://login.corp.io/oauth2/token"\nKEY_ALIAS = "alias/orders-key"\n',
        ),
        ("Strings.swift", 'let passwordPlaceholder = "Enter your password"\nlet keychainService = "io.acme.app.keychain"\n'),
        ("k8s.yaml", "secretName: orders-database-credentials\nsecretKeyRef:\n  name: orders\n  key: database-password\n"),
    )[number % 7]


@negative("prose about secrets")
def _prose(dice: random.Random, number: int) -> tuple[str, str]:
    rows = [PROSE[(number * 3 + at) % len(PROSE)] for at in range(3)]
    return ("README.md", "guide.rst", "CHANGELOG.md", "mail.txt")[number % 4], "\n\n".join(rows) + "\n"


@negative("regular expressions and formats")
def _patterns(dice: random.Random, number: int) -> tuple[str, str]:
    return (
        ("rules.toml", "regex = '''ghp_[0-9a-zA-Z]{36}'''\nkeywords = [\"ghp_\"]\n"),
        (
            "rules.py",
            'TOKEN = re.compile(r"xox[baprs]-[0-9]{10,13}-[0-9A-Za-z]{24}")\npassword_re = r"^(?=.*[A-Z])(?=.*[0-9]).{8,}$"\n',
        ),
        ("log.c", 'printf("token=%s password=%s key=%08x\\n", token, password, key);\n'),
        ("fmt.go", 'url := fmt.Sprintf("postgres://%s:%s@%s:%d/%s", user, password, host, port, name)\n'),
        ("date.py", "key = datetime.now().strftime('%Y-%m-%dT%H:%M:%S')\ntoken = f'{user}:{stamp}:{nonce}'\n"),
        ("sed.sh", "sed -e 's/PASSWORD=.*/PASSWORD=***/' -e 's|token: .*|token: x|' config\n"),
    )[number % 6]


@negative("versions, dates, numbers")
def _versions(dice: random.Random, number: int) -> tuple[str, str]:
    return (
        ("versions.env", "TOKEN_VERSION=v2.14.3-rc.1+build.20260302\nKEY_VERSION=2026-03-02T11:14:02Z\nAPI_KEY_ROTATION=90d\n"),
        (
            "colors.css",
            f":root {{ --key: #{hexa(dice, 6)}; --token-bg: #{hexa(dice, 8)}; }}\n.password-input {{ color: #{hexa(dice, 3)}; }}\n",
        ),
        ("contact.yml", "token_hotline: +49 30 901820 4711\nkey_holder: kim@corp.io\npin_length: 6\npassword_min_length: 12\n"),
        ("limits.toml", "max_tokens = 8192\ntoken_budget = 100000\nkey_count = 1_000_000\npassword_expires = 7776000\n"),
        ("ports.ini", "auth = 127.0.0.1:8443\nkey_server = keys.openpgp.org:11371\nsecret_port = 8200\n"),
    )[number % 5]


@negative("cloud names")
def _cloud(dice: random.Random, number: int) -> tuple[str, str]:
    return (
        (
            "iam.tf",
            f'role_arn = "arn:aws:iam::123456789012:role/orders"\nkms_key_id = "arn:aws:kms:eu-central-1:123456789012:key/{some_uuid(dice)}"\n',
        ),
        (
            "s3.yml",
            f"bucket: s3://acme-secrets-prod/keys/{hexa(dice, 16)}.json\nsecret_arn: arn:aws:secretsmanager:eu-west-1:123456789012:secret:orders-{an(dice, 6)}\n",
        ),
        (
            "gcp.yml",
            "secret: projects/123456789/secrets/orders-db/versions/latest\nkey_ring: projects/acme/locations/eu/keyRings/main\n",
        ),
        (
            "azure.json",
            json.dumps(
                {"keyVaultUri": f"https://acme-kv.vault.azure.net/secrets/orders/{hexa(dice, 32)}", "tenantId": some_uuid(dice)}
            ),
        ),
        (
            "aws.json",
            json.dumps(
                {"UserId": "AIDA" + chars(dice, ALPHABETS["B32x"], 17), "RoleId": "AROA" + chars(dice, ALPHABETS["B32x"], 17)}
            ),
        ),
    )[number % 5]


# ---- bundles and data


@negative("base64 data")
def _data(dice: random.Random, number: int) -> tuple[str, str]:
    plain = base64.b64encode(" ".join(PROSE[:4]).encode()).decode()
    return (
        ("icon.css", f".key {{ background: url(data:image/png;base64,iVBORw0KGgoAAAANSUhEUg{b64(dice, 400)}); }}\n"),
        ("font.css", f"@font-face {{ src: url(data:font/woff2;base64,d09GMgABAAAAA{b64(dice, 600)}); }}\n"),
        ("doc.json", json.dumps({"content": plain, "encoding": "base64"})),
        ("mail.eml", "Content-Transfer-Encoding: base64\n\n" + "\n".join(b64(dice, 57) for _ in range(12)) + "\n"),
        ("model.ipynb", json.dumps({"outputs": [{"data": {"image/png": "iVBORw0KGgo" + b64(dice, 600)}}]})),
    )[number % 5]


@negative("minified bundles, source maps")
def _bundles(dice: random.Random, number: int) -> tuple[str, str]:
    functions = "".join(
        f"{an(dice, 2)}=function({chars(dice, ALPHABETS['abc'], 1)}){{return {chars(dice, ALPHABETS['abc'], 1)}.token||this._{an(dice, 3)}.secret}},"
        for _ in range(20)
    )
    if number % 2:
        mappings = ";".join(chars(dice, ALPHABETS["an"] + ",", 60) for _ in range(12))
        return "app.js.map", json.dumps(
            {"version": 3, "sources": ["token.ts", "password.ts"], "names": ["apiKey", "secret"], "mappings": mappings}
        )
    return (
        "app.min.js",
        f'!function(e){{var t={{password:"password",apiKey:"apiKey",token:null}};{functions}module.{hexa(dice, 20)}="./chunk.{hexa(dice, 20)}.js"}}();\n',
    )


@negative("tests that name their values")
def _fixtures(dice: random.Random, number: int) -> tuple[str, str]:
    return (
        (
            "test_login.py",
            'def test_login(client):\n    reply = client.post("/login", data={"user": "kim", "password": "wrong"})\n    assert reply.status == 401\n',
        ),
        (
            "login.spec.ts",
            "it('rejects', async () => {\n  await login({ password: 'invalid-password', token: 'bad-token' });\n});\n",
        ),
        ("LoginTest.java", 'assertThat(form.getPassword()).isEqualTo("password");\nassertEquals("token", cookie.getName());\n'),
        ("auth_test.go", '{name: "no token", token: "", wantErr: true},\n{name: "bad token", token: "abc", wantErr: true},\n'),
    )[number % 4]


@negative("lorem ipsum and names of things")
def _lorem(dice: random.Random, number: int) -> tuple[str, str]:
    words = [
        "lorem",
        "ipsum",
        "dolor",
        "sit",
        "amet",
        "consetetur",
        "sadipscing",
        "elitr",
        "sed",
        "diam",
        "nonumy",
        "eirmod",
        "tempor",
        "invidunt",
        "key",
        "token",
        "secret",
    ]
    rows = "\n".join(" ".join(pick(dice, tuple(words)) for _ in range(12)) for _ in range(6))
    return "text.md", f"# Token: {pick(dice, tuple(words))}\n\nkey: {pick(dice, tuple(words))}\n\n{rows}\n"
