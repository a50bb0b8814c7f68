"""Plants a small project with leaks, for the demo and for tests. Every value is made from a seeded shape; none is real."""

from __future__ import annotations

import base64
import os
from typing import NamedTuple

from keyward.model.rule import Sample
from keyward.plugin.checksums import crc32_base62
from keyward.plugin.shapes import Shape, an, b32, b64, b64url, concat, digits, hexa, part, raw


class Planted(NamedTuple):
    """`files`: path → content. `values`: name → the value that was planted (of a multi-part credential, its secret)."""

    files: dict[str, bytes]
    values: dict[str, bytes]


def _github() -> Shape:
    return concat("ghp_", an(30)).tail(lambda token: crc32_base62(token[4:]))


_PASSWORD = concat(an(7), "!", an(7), "#", an(3))


def _key_body(seed: int) -> str:
    """The base64 lines of an RSA key in form only: a DER sequence of the right length around random bytes."""
    content = b"\x02\x01\x00\x02\x82\x01\x01\x00" + raw(592).sample(seed).text
    encoded = base64.b64encode(b"\x30\x82" + len(content).to_bytes(2, "big") + content).decode()
    return "\n".join(encoded[at : at + 64] for at in range(0, len(encoded), 64))


def planted(seed: int = 1) -> Planted:
    """The same project for the same seed."""

    def draw(name: str, shape: Shape) -> Sample:
        return part(name, shape).sample(seed)

    github = draw("github", _github()).text.decode()
    aws_id = concat("AKIA", b32(16)).sample(seed).text.decode()
    aws = draw("aws", concat("q7W", b64(36), "x")).text.decode()
    tencent_id = concat("AKID", an(32)).sample(seed + 1).text.decode()
    tencent = draw("tencent", an(32)).text.decode()
    anthropic = draw("anthropic", concat("sk-ant-api03-", b64url(93), "AA")).text.decode()
    password = draw("postgres", _PASSWORD).text.decode()
    slack = concat("xoxb-", digits(12), "-", digits(12), "-", an(24)).sample(seed).text.decode()
    gateway = hexa(48).sample(seed + 2).text.decode()
    telegram = concat(digits(10), ":AA", b64url(33)).sample(seed).text.decode()
    key_body = _key_body(seed)
    begin, end = "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----"
    files = {
        ".env": f"# production\nGITHUB_TOKEN={github}\nANTHROPIC_API_KEY={anthropic}\nTENCENTCLOUD_SECRET_ID={tencent_id}\n"
        f"TENCENTCLOUD_SECRET_KEY={tencent}\nDEBUG=false\nAPI_URL=https://api.example.com\nSESSION_KEY=${{SESSION_KEY}}\n",
        ".env.example": "GITHUB_TOKEN=ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\nANTHROPIC_API_KEY=your-key-here\n",
        ".gitignore": ".env\n",
        "docker-compose.yml": "services:\n  db:\n    image: postgres:16\n  app:\n    environment:\n"
        f"      DATABASE_URL: postgresql://app:{password}@db.internal:5432/app\n",
        "deploy/credentials": f"[default]\naws_access_key_id = {aws_id}\naws_secret_access_key = {aws}\n",
        "deploy/id_rsa": f"{begin}\n{key_body}\n{end}\n",
        "agent/openclaw.json": "{\n  // gateway\n  gateway: { auth: { mode: 'token', token: '" + gateway + "' } },\n"
        "  channels: { telegram: { botToken: '" + telegram + "' } },\n}\n",
        "agent/memory/2026-11-20.md": f"# Notes\n\n## Deploy\n\nThe token for pushing is {github}, keep it.\n",
        "notes/export.md": f"User: it says 401\nAssistant: run `curl -H 'Authorization: Bearer {slack}' https://slack.com/api/auth.test`\n",
        "src/app.py": 'import os\n\nTOKEN = os.environ["GITHUB_TOKEN"]\nPASSWORD = "changeme"\nVERSION = "1.4.2"\n',
        "package-lock.json": '{"lockfileVersion": 3, "packages": {"left-pad": {"integrity": "sha512-'
        + b64(86).sample(seed).text.decode()
        + '=="}}}\n',
    }
    values = {"github": github, "aws": aws, "tencent": tencent, "anthropic": anthropic, "postgres": password,
              "slack": slack, "openclaw gateway": gateway, "telegram": telegram, "private key": key_body}  # fmt: skip
    return Planted({path: content.encode() for path, content in files.items()}, {n: v.encode() for n, v in values.items()})


def plant(folder: str, seed: int = 1) -> Planted:
    """Writes the project into a folder and answers with what was planted."""
    project = planted(seed)
    for path, content in project.files.items():
        full = os.path.join(folder, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as file:
            file.write(content)
    return project
