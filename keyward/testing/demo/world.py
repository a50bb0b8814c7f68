"""The world of the second act: real servers, the credentials of a small shop in its files, and the operator's configuration."""

from __future__ import annotations

import os
import secrets
from contextlib import ExitStack
from typing import Any, NamedTuple

from keyward.testing.demo.stage import record
from keyward.testing.servers.moto import Moto
from keyward.testing.servers.openbao import OpenBao
from keyward.testing.servers.postgresql import PostgreSQL

AWS_USER, ROLE, KEEPER = "shop", "shop", "keyward_keeper"

DOTENV = """\
# production
AWS_REGION=us-east-1
AWS_ACCESS_KEY_ID={id}
AWS_SECRET_ACCESS_KEY={secret}
DEBUG=false
"""
COMPOSE = """\
services:
  web:
    image: shop:1.4.2
    environment:
      LOG_LEVEL: info
      DATABASE_URL: postgresql://{role}:{password}@{host}:{port}/postgres   # read by src/db.py
"""
POLICY = """\
path "secret/data/*" { capabilities = ["create", "read", "update", "delete", "patch"] }
path "secret/metadata/*" { capabilities = ["create", "read", "update", "delete", "patch", "list"] }
path "secret/destroy/*" { capabilities = ["create", "update"] }
path "sys/policies/acl/keyward-lane-*" { capabilities = ["create", "read", "update", "delete"] }
path "auth/approle/role/keyward-lane-*" { capabilities = ["create", "read", "update", "delete"] }
"""
CONFIG = """\
[stores.vault]
type = "vault"
address = "{bao}"
token = "env:BAO_TOKEN"                     # references, never values

[lanes.shop]
tier = 1
environment = "production"

[[lanes.shop.credentials]]
name = "aws"
kind = "aws/access-key"
target = {{ base_url = "{aws}" }}
scope = {{ user = "{aws_user}", end_sessions = false }}
admin = {{ id = "env:AWS_ADMIN_ID", secret = "env:AWS_ADMIN_SECRET" }}

[[lanes.shop.credentials]]
name = "database"
kind = "postgresql/password"
target = {{ host = "{host}", port = {port} }}
admin = {{ user = "env:PG_ADMIN_USER", secret = "env:PG_ADMIN_PASSWORD" }}

[[lanes.shop.consumers]]
type = "dotenv"
path = "{folder}/.env"
set = {{ AWS_ACCESS_KEY_ID = "{{id}}", AWS_SECRET_ACCESS_KEY = "{{secret}}" }}
credentials = ["aws"]

[[lanes.shop.consumers]]
type = "compose"
path = "{folder}/compose.yml"
service = "web"
set = {{ DATABASE_URL = "postgresql://{{user|url}}:{{secret|url}}@{host}:{port}/postgres" }}
credentials = ["database"]
"""


class Key(NamedTuple):
    """A credential as the files have it. `name`: what is public of it, the key's id or the role."""

    name: str
    secret: str


class World:
    """Use it as a context manager. `folder`: the shop's. `config`: the operator's file. `aws`, `database`: what leaked."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.folder, self.config = os.path.join(root, "shop"), os.path.join(root, "config.toml")
        self._stack = ExitStack()

    def __enter__(self) -> World:
        try:
            self.bao: OpenBao = self._stack.enter_context(OpenBao())
            self.postgres: PostgreSQL = self._stack.enter_context(PostgreSQL())
            self.moto: Moto = self._stack.enter_context(Moto())
            self._fill()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _fill(self) -> None:
        self.bao.request("PUT", "sys/policies/acl/keyward", {"policy": POLICY})
        self.bao.request("POST", "sys/auth/approle", {"type": "approle"})
        self._token = self.bao.new_token("keyward")
        self.moto.make_user(AWS_USER)
        self.aws = self._aws_key()
        self._keeper = new_password()
        self.database = Key(f"{ROLE}_a", new_password())
        self.postgres.execute(f"CREATE ROLE {KEEPER} LOGIN CREATEROLE IN ROLE pg_signal_backend PASSWORD '{self._keeper}'")
        with self.postgres.connect(KEEPER, self._keeper) as connection:
            connection.execute(f"CREATE ROLE {self.database.name} LOGIN PASSWORD '{self.database.secret}'")
        for name, value in (
            ("old-aws-secret", self.aws.secret),
            ("old-database-password", self.database.secret),
            ("vault-token", self._token),
            ("vault-root-token", self.bao.token),
            ("aws-admin-secret", self.moto.admin.secret),
            ("database-admin-password", self._keeper),
            ("database-superuser-password", self.postgres.password),
        ):
            record(name, value)
        # public, and shown: what looks for values must find this one
        record("public-aws-id", self.aws.name)
        self._write()

    def _aws_key(self) -> Key:
        while True:
            made = self.moto.make_key(AWS_USER)
            if any(character.isdigit() for character in made.secret):  # one in a thousand has none, and looks unlike a key
                return Key(made.id, made.secret)
            self.moto.act("DeleteAccessKey", UserName=AWS_USER, AccessKeyId=made.id)

    def _write(self) -> None:
        host, port = self.postgres.host, self.postgres.port
        os.mkdir(self.folder, 0o700)
        dotenv = DOTENV.format(id=self.aws.name, secret=self.aws.secret)
        compose = COMPOSE.format(role=self.database.name, password=self.database.secret, host=host, port=port)
        config = CONFIG.format(bao=self.bao.url, aws=self.moto.url, aws_user=AWS_USER, host=host, port=port, folder=self.folder)
        for path, text in (
            (os.path.join(self.folder, ".env"), dotenv),
            (os.path.join(self.folder, "compose.yml"), compose),
            (self.config, config),
        ):
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(text)

    @property
    def variables(self) -> dict[str, str]:
        """What the operator has in the environment: the references of the configuration lead here."""
        return {
            "KEYWARD_CONFIG": self.config,
            "KEYWARD_STATE": os.path.join(self.root, "state"),
            "BAO_TOKEN": self._token,
            "AWS_ADMIN_ID": self.moto.admin.id,
            "AWS_ADMIN_SECRET": self.moto.admin.secret,
            "PG_ADMIN_USER": KEEPER,
            "PG_ADMIN_PASSWORD": self._keeper,
        }

    def read(self, name: str) -> bytes:
        """A file of the shop."""
        with open(os.path.join(self.folder, name), "rb") as file:
            return file.read()

    # the servers themselves are asked, by their own clients and not by keyward

    def stored(self) -> list[tuple[str, str, str, dict[str, str]]]:
        """What the store holds below `lanes/`: path, newest version, how many older ones are destroyed, labels. No value is read."""
        rows = []
        for name in sorted(self.bao.request("LIST", "secret/metadata/lanes/shop")["data"]["keys"]):
            data = self.bao.request("GET", f"secret/metadata/lanes/shop/{name}")["data"]
            gone = sum(bool(version["destroyed"]) for version in data["versions"].values())
            rows.append((f"secret/lanes/shop/{name}", str(data["current_version"]), str(gone), data["custom_metadata"] or {}))
        return rows

    def held(self, name: str) -> dict[str, str]:
        """The parts that the store holds for one credential."""
        fields: dict[str, str] = self.bao.request("GET", f"secret/data/lanes/shop/{name}")["data"]["data"]
        return fields

    def ask_aws(self, key: Key) -> str:
        """Whose key it is, as STS says; empty where it is refused."""
        import boto3  # type: ignore[import-untyped]
        from botocore.config import Config  # type: ignore[import-untyped]
        from botocore.exceptions import ClientError  # type: ignore[import-untyped]

        sts: Any = boto3.client(
            "sts",
            endpoint_url=self.moto.url,
            region_name="us-east-1",
            aws_access_key_id=key.name,
            aws_secret_access_key=key.secret,
            config=Config(retries={"max_attempts": 1}),
        )
        try:
            return str(sts.get_caller_identity()["Arn"])
        except ClientError:
            return ""

    def ask_database(self, key: Key) -> str:
        """Who the session belongs to, as PostgreSQL says; empty where none is opened."""
        import psycopg

        try:
            with self.postgres.connect(key.name, key.secret) as session:
                return " as ".join(session.execute("SELECT session_user, current_user").fetchone() or ())
        except psycopg.OperationalError:
            return ""


def new_password() -> str:
    """Letters, digits, `-` and `_`: nothing that a URL or a statement would have to quote."""
    return "k7W" + secrets.token_urlsafe(18)
