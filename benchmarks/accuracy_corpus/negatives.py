"""Texts that look like credentials and are none: hashes, ids, references, placeholders, public halves, words. Each class makes small files."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator

from accuracy_corpus.drawing import ALPHABETS, chars, raw, some_uuid
from accuracy_corpus.words import PLACEHOLDERS, REFERENCES, VARIABLES

Make = Callable[[random.Random, int], "tuple[str, str]"]
NEGATIVES: dict[str, Callable[[int, int], Iterator[tuple[str, str]]]] = {}


def negative(name: str) -> Callable[[Make], Make]:
    """Adds a class of negatives: the function makes one file from dice and a running number."""

    def add(make: Make) -> Make:
        def files(count: int, seed: int) -> Iterator[tuple[str, str]]:
            for number in range(count):
                yield make(random.Random(f"{name} {seed} {number}"), number)

        NEGATIVES[name] = files
        return make

    return add


def hexa(dice: random.Random, count: int) -> str:
    """So many hex digits."""
    return chars(dice, ALPHABETS["hex"], count)


def an(dice: random.Random, count: int) -> str:
    """So many letters and digits."""
    return chars(dice, ALPHABETS["an"], count)


def b64(dice: random.Random, count: int) -> str:
    """So many random bytes in base64."""
    return base64.b64encode(raw(dice, count)).decode()


def pick(dice: random.Random, choices: tuple[str, ...]) -> str:
    """One of the choices."""
    return choices[int(dice.random() * len(choices))]


def variable(dice: random.Random) -> str:
    """A name that a secret would have."""
    return pick(dice, VARIABLES)


# ---- hashes and ids


@negative("git commits")
def _git(dice: random.Random, number: int) -> tuple[str, str]:
    sha = hexa(dice, 40)
    return (
        ("HISTORY.md", f"- Fix the token cache ({sha[:12]}), see {sha}\n"),
        ("go.mod", f"require github.com/acme/auth v0.0.0-20260302111402-{sha[:12]}\n"),
        (
            ".github/workflows/ci.yml",
            f"      - uses: actions/checkout@{sha}\n        with:\n          persist-credentials: false\n",
        ),
        ("ci.log", f"HEAD is now at {sha[:9]} Rotate the secret\nFetching key {sha} from origin\n"),
        ("setup.sh", f"COMMIT={sha}\nREVISION='{hexa(dice, 40)}'\nGIT_SHA={hexa(dice, 40)}\n"),
        ("package.json", f'{{"dependencies": {{"auth": "git+https://github.com/acme/auth.git#{sha}"}}}}\n'),
    )[number % 6]


@negative("lock files")
def _lock(dice: random.Random, number: int) -> tuple[str, str]:
    name = pick(dice, ("token-types", "secret-stack", "password-hash", "api-key-auth", "jsonwebtoken"))
    return (
        (
            "package-lock.json",
            json.dumps(
                {"packages": {f"node_modules/{name}": {"version": "2.1.4", "integrity": "sha512-" + b64(dice, 64)}}}, indent=2
            ),
        ),
        (
            "yarn.lock",
            f'{name}@^2.1.0:\n  version "2.1.4"\n  resolved "https://registry.corp.io/{name}-2.1.4.tgz#{hexa(dice, 40)}"\n  integrity sha512-{b64(dice, 64)}\n',
        ),
        ("Cargo.lock", f'[[package]]\nname = "{name}"\nversion = "2.1.4"\nchecksum = "{hexa(dice, 64)}"\n'),
        ("poetry.lock", f'files = [\n    {{file = "{name}-2.1.4.tar.gz", hash = "sha256:{hexa(dice, 64)}"}},\n]\n'),
        (
            "go.sum",
            f"github.com/acme/{name} v2.1.4 h1:{b64(dice, 32)}\ngithub.com/acme/{name} v2.1.4/go.mod h1:{b64(dice, 32)}\n",
        ),
        ("Gemfile.lock", f"CHECKSUMS\n  {name} (2.1.4) sha256={hexa(dice, 64)}\n"),
        (
            "flake.lock",
            json.dumps({"nodes": {name: {"locked": {"narHash": "sha256-" + b64(dice, 32), "rev": hexa(dice, 40)}}}}, indent=2),
        ),
    )[number % 7]


@negative("checksum lists")
def _checksums(dice: random.Random, number: int) -> tuple[str, str]:
    width = (32, 40, 64, 128)[number % 4]
    rows = "".join(
        f"{hexa(dice, width)}  {pick(dice, ('secret-tool', 'key', 'passwd', 'token'))}-{at}.tar.gz\n" for at in range(6)
    )
    return ("MD5SUMS", "SHA1SUMS", "SHA256SUMS", "SHA512SUMS")[number % 4], rows


@negative("docker digests")
def _docker(dice: random.Random, number: int) -> tuple[str, str]:
    digest = "sha256:" + hexa(dice, 64)
    return (
        ("compose.yml", f"services:\n  token:\n    image: registry.corp.io/token@{digest}\n"),
        ("Dockerfile", f"FROM python:3.11@{digest}\nENV KEY_FILE=/run/secrets/key\n"),
        ("push.log", f"latest: digest: {digest} size: 1573\nsecret: {hexa(dice, 12)}: Pushed\n"),
    )[number % 3]


@negative("UUIDs")
def _uuids(dice: random.Random, number: int) -> tuple[str, str]:
    one = some_uuid(dice)
    return (
        ("project.sln", f'Project("{{{one.upper()}}}") = "Auth.Token", "Auth.Token.csproj", "{{{some_uuid(dice).upper()}}}"\n'),
        ("trace.log", f"2026-03-02 11:14:02 request_id={one} tenant={some_uuid(dice)} token refreshed\n"),
        (
            "config.json",
            json.dumps({"tenantId": one, "clientId": some_uuid(dice), "subscriptionId": some_uuid(dice)}, indent=2),
        ),
        ("ids.py", f'ACCOUNT_ID = "{one}"\nPROJECT_ID = "{some_uuid(dice)}"\nkey_id = "{some_uuid(dice)}"\n'),
        (
            "main.tf",
            f'data "azurerm_client_config" "x" {{}}\nlocals {{\n  tenant_id = "{one}"\n  object_id = "{some_uuid(dice)}"\n}}\n',
        ),
        ("seed.sql", f"INSERT INTO tokens (id, user_id) VALUES ('{one}', '{some_uuid(dice)}');\n"),
    )[number % 6]


@negative("trace ids, ETags")
def _trace(dice: random.Random, number: int) -> tuple[str, str]:
    return (
        (
            "req.http",
            f'GET /token HTTP/1.1\ntraceparent: 00-{hexa(dice, 32)}-{hexa(dice, 16)}-01\nIf-None-Match: "{hexa(dice, 32)}"\n',
        ),
        (
            "resp.http",
            f'HTTP/1.1 200 OK\nETag: W/"{hexa(dice, 40)}"\nX-Request-Id: {hexa(dice, 32)}\nx-amz-id-2: {b64(dice, 48)}\nCF-RAY: {hexa(dice, 16)}-FRA\n',
        ),
        (
            "log.jsonl",
            json.dumps({"trace_id": hexa(dice, 32), "span_id": hexa(dice, 16), "session": hexa(dice, 24), "msg": "token ok"})
            + "\n",
        ),
        (
            "cache.json",
            json.dumps({"cacheKey": hexa(dice, 40), "contentHash": hexa(dice, 64), "sortKey": "2026-03-02#" + hexa(dice, 8)}),
        ),
    )[number % 4]


@negative("key fingerprints")
def _fingerprints(dice: random.Random, number: int) -> tuple[str, str]:
    return (
        ("keys.txt", "Key fingerprint = " + " ".join(chars(dice, ALPHABETS["HEX"], 4) for _ in range(10)) + "\n"),
        ("ssh.log", f"debug1: Server host key: ssh-ed25519 SHA256:{b64(dice, 32).rstrip('=')}\n"),
        (
            "assetlinks.json",
            '"sha256_cert_fingerprints": ["' + ":".join(chars(dice, ALPHABETS["HEX"], 2) for _ in range(32)) + '"]\n',
        ),
        ("sources.sh", f"gpg --recv-keys {chars(dice, ALPHABETS['HEX'], 40)}\nKEY={chars(dice, ALPHABETS['HEX'], 16)}\n"),
        ("pins.xml", f'<pin digest="SHA-256">{b64(dice, 32)}</pin>\n'),
    )[number % 5]


@negative("password hashes")
def _hashes(dice: random.Random, number: int) -> tuple[str, str]:
    return (
        ("users.sql", f"INSERT INTO users (login, password_md5) VALUES ('kim', '{hexa(dice, 32)}');\n"),
        ("integrity.py", f'EXPECTED_SHA256 = "{hexa(dice, 64)}"\nMD5 = "{hexa(dice, 32)}"\nchecksum = "{hexa(dice, 40)}"\n'),
        ("index.html", f'<script src="app.js" integrity="sha384-{b64(dice, 48)}" crossorigin="anonymous"></script>\n'),
    )[number % 3]


# ---- public halves


@negative("public keys")
def _public(dice: random.Random, number: int) -> tuple[str, str]:
    body = "\n".join(b64(dice, 48) for _ in range(6))
    blob = "AAAAC3NzaC1lZDI1NTE5AAAAI" + b64(dice, 33)[:43]
    return (
        ("id.pub", f"ssh-ed25519 {blob} kim@laptop\n"),
        ("known_hosts", f"git.corp.io ssh-ed25519 {blob}\n|1|{b64(dice, 20)}|{b64(dice, 20)} ssh-ed25519 {blob}\n"),
        ("pub.pem", f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"),
        ("cert.pem", f"-----BEGIN CERTIFICATE-----\nMIID{body}\n-----END CERTIFICATE-----\n"),
        (
            "kube.yaml",
            f"clusters:\n- cluster:\n    certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t{b64(dice, 300)}\n",
        ),
        ("peers.conf", f"[Peer]\nPublicKey = {b64(dice, 32)}\nAllowedIPs = 10.0.0.2/32\n"),
        (
            "jwk.json",
            json.dumps(
                {
                    "kty": "EC",
                    "crv": "P-256",
                    "kid": an(dice, 20),
                    "x": b64(dice, 32).rstrip("="),
                    "y": b64(dice, 32).rstrip("="),
                }
            ),
        ),
        ("recipients.txt", "age1" + chars(dice, "qpzry9x8gf2tvdw0s3jn54khce6mua7l", 58) + "\n"),
        ("pgp.asc", f"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{body}\n-----END PGP PUBLIC KEY BLOCK-----\n"),
    )[number % 9]


@negative("publishable keys, client ids")
def _publishable(dice: random.Random, number: int) -> tuple[str, str]:
    return (
        ("checkout.js", f"const stripe = Stripe('pk_live_51{an(dice, 97)}');\n"),
        (
            ".env",
            f"NEXT_PUBLIC_STRIPE_PUBLISHABLE_KEY=pk_test_{an(dice, 24)}\nNEXT_PUBLIC_SUPABASE_PUBLISHABLE_KEY=sb_publishable_{an(dice, 22)}_{an(dice, 8)}\n",
        ),
        (
            "oauth.json",
            json.dumps({"client_id": f"123456789012-{chars(dice, ALPHABETS['low'], 32)}.apps.googleusercontent.com"}),
        ),
        ("analytics.ts", f"posthog.init('phc_{an(dice, 43)}', {{ api_host: 'https://eu.posthog.com' }});\n"),
        (
            "ids.yml",
            f"github_client_id: Iv1.{hexa(dice, 16)}\nslack_client_id: '123456789012.1234567890123'\ncognito_client_id: {chars(dice, ALPHABETS['low'], 26)}\n",
        ),
        ("twilio.rb", f"account_sid = 'AC{hexa(dice, 32)}'\nservice_sid = 'MG{hexa(dice, 32)}'\n"),
        ("sentry.js", f"Sentry.init({{ dsn: 'https://{hexa(dice, 32)}@o123456.ingest.sentry.io/1234567' }});\n"),
        ("captcha.html", f'<div class="g-recaptcha" data-sitekey="6L{an(dice, 6)}AAAAA{an(dice, 27)}"></div>\n'),
        ("map.js", f"mapboxgl.accessToken = 'pk.eyJ1IjoiYWNtZSIsImEiOiJj{an(dice, 30)}In0.{an(dice, 22)}';\n"),
        ("algolia.js", f"docsearch({{ appId: '{chars(dice, ALPHABETS['AN'], 10)}', indexName: 'docs' }});\n"),
        ("discord.toml", f'application_id = "{chars(dice, "123456789", 18)}"\npublic_key = "{hexa(dice, 64)}"\n'),
    )[number % 11]


# ---- references, placeholders, ciphertext


@negative("placeholders")
def _placeholder(dice: random.Random, number: int) -> tuple[str, str]:
    name, value = variable(dice), PLACEHOLDERS[number % len(PLACEHOLDERS)]
    path, form = (
        (".env.example", "{n}={v}\n"), ("README.md", "```sh\nexport {n}={v}\n```\n"), ("config.yml", "{l}: {v}\n"), ("config.json", '{{"{l}": "{v}"}}\n'),
        ("setup.py", '{n} = "{v}"\n'), ("notes.md", "Set `{n}` to `{v}`.\n"), ("main.tf", 'variable "{l}" {{\n  default = "{v}"\n}}\n'),
    )[int(dice.random() * 7)]  # fmt: skip
    return path, form.format(n=name, l=name.lower(), v=value)


@negative("references")
def _reference(dice: random.Random, number: int) -> tuple[str, str]:
    path, form = REFERENCES[number % len(REFERENCES)]
    name = variable(dice)
    return path, form.replace("$N", name).replace("$L", name.lower())


@negative("ciphertext")
def _cipher(dice: random.Random, number: int) -> tuple[str, str]:
    return (
        (
            "secrets.yaml",
            f"db_password: ENC[AES256_GCM,data:{b64(dice, 18)},iv:{b64(dice, 32)},tag:{b64(dice, 16)},type:str]\nsops:\n  lastmodified: '2026-03-02'\n",
        ),
        ("vault.yml", "$ANSIBLE_VAULT;1.1;AES256\n" + "\n".join(hexa(dice, 80) for _ in range(6)) + "\n"),
        (
            "vars.yml",
            "db_password: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n" + "\n".join("  " + hexa(dice, 80) for _ in range(4)) + "\n",
        ),
        ("sealed.yaml", f"kind: SealedSecret\nspec:\n  encryptedData:\n    password: AgB{b64(dice, 300)}\n"),
        (
            "application.yml",
            f"spring:\n  datasource:\n    password: '{{cipher}}{hexa(dice, 96)}'\n    other: ENC({b64(dice, 32)})\n",
        ),
        (".travis.yml", f'env:\n  global:\n    - secure: "{b64(dice, 256)}"\n'),
        ("credentials.yml.enc", f"{b64(dice, 200)}--{b64(dice, 12)}--{b64(dice, 16)}\n"),
        (
            "note.age",
            f"-----BEGIN AGE ENCRYPTED FILE-----\n{b64(dice, 48)}\n{b64(dice, 48)}\n-----END AGE ENCRYPTED FILE-----\n",
        ),
    )[number % 8]


@negative("masked values")
def _masked(dice: random.Random, number: int) -> tuple[str, str]:
    return (
        ("run.log", f"GITHUB_TOKEN=***\nAWS_SECRET_ACCESS_KEY=****************{an(dice, 4)}\n"),
        ("usage.md", f"You will see a key such as `sk-proj-...{an(dice, 4)}` or `ghp_{an(dice, 4)}****`.\n"),
        (
            "audit.json",
            json.dumps(
                {"api_key": "sk-ant-api03-" + "•" * 12, "token": "[REDACTED]", "password": "<hidden>"}, ensure_ascii=False
            ),
        ),
        ("out.txt", f"token: {an(dice, 4)}{'x' * 32}\npassword: {'*' * 12}\n"),
    )[number % 4]


@negative("documentation samples")
def _samples(dice: random.Random, number: int) -> tuple[str, str]:
    return (
        (
            "aws.md",
            "AWS_ACCESS_KEY_ID="
            + "AKIA"
            + "IOSFODNN7"
            + "EXAMPLE\nAWS_SECRET_ACCESS_KEY="
            + "wJalrXUtnFEMI/K7MDENG/"
            + "bPxRfiCYEXAMPLEKEY\n",
        ),
        ("db.md", "Connect with `postgres://user:password@localhost:5432/db` or `mysql://root:root@127.0.0.1/test`.\n"),
        (
            "api.md",
            "curl -u user:password https://api.example.com/v1\ncurl -H 'Authorization: Bearer <token>' https://api.example.com\n",
        ),
        ("api.rst", "   client = Client(api_key='YOUR_API_KEY')\n   client.login(username='user', password='password')\n"),
        ("compose.md", "POSTGRES_PASSWORD=example\nMYSQL_ROOT_PASSWORD=changeme\nREDIS_PASSWORD=your-password\n"),
        ("kubeadm.md", "kubeadm join 10.0.0.1:6443 --token " + "abcdef.0123456789" + "abcdef\n"),
    )[number % 6]
