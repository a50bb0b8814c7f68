"""The credentials of a drill: each is made at its provider, stands in a lane of the operator's, and can be asked after without keyward."""

from __future__ import annotations

import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from keyward.testing.drill.services import MOUNT, Services
from keyward.testing.fakes.gitlab import MAINTAINER

Parts = Mapping[str, str]

OWNER, DATABASE_KEEPER, DATABASE_ROLE, CACHE_USER, CLOUD_USER = "shop", "keyward_keeper", "shop_a", "shop", "keyward-cloud"


class Account(NamedTuple):
    """One credential of a lane. `old`: its parts, as they leaked. `part`: the secret one. `ask`: whom a credential logs in as, by the
    provider's own interface; empty where it is refused. `names`: the variables that carry it, with its parts in braces. `table`: lines of
    its table in the operator's configuration. `by_hand`: makes a new one as a person would in the provider's console, where no interface
    does."""

    ref: str
    kind: str
    old: Parts
    ask: Callable[[Parts], str]
    names: Mapping[str, str]
    table: str
    by_hand: Callable[[], Parts] | None = None

    @property
    def secret(self) -> str:
        return self.old["secret"]

    @property
    def lane(self) -> str:
        return self.ref.partition("/")[0]

    def spoken(self, between: str = " ") -> str:
        """As people and programs write it down: `NAME=value`, its parts side by side."""
        return between.join(f"{name}={form.format(**self.old)}" for name, form in self.names.items())


class Accounts(NamedTuple):
    """`variables`: what the operator has in the environment, for the references of the configuration."""

    all: tuple[Account, ...]
    variables: Mapping[str, str]

    def named(self, ref: str) -> Account:
        return next(each for each in self.all if each.ref == ref)


def make_accounts(services: Services, *, admin_leaked: bool = False) -> Accounts:
    """All of them, live, and stored in OpenBao. `admin_leaked`: the admin key of OpenAI is a credential of a lane, too."""
    variables: dict[str, str] = {}
    made = (
        _aws(services, variables),
        _database(services, variables),
        _cache(services, variables),
        _tencent(services, variables),
        _openrouter(services, variables),
        _anthropic(services, variables),
        _gitlab(services, variables),
        *_openai(services, variables, admin_leaked),
    )
    for each in made:
        services.bao.request("POST", f"{MOUNT}/data/lanes/{each.ref}", {"data": dict(each.old)})
    return Accounts(made, variables)


def held(services: Services, ref: str) -> dict[str, str]:
    """The parts that the store holds for a credential now, without what is keyward's own."""
    fields = services.bao.request("GET", f"{MOUNT}/data/lanes/{ref}")["data"]["data"]
    return {name: value for name, value in fields.items() if not name.startswith("_")}


def new_password() -> str:
    """Letters, digits, `-` and `_`: nothing that a URL or a statement would have to quote."""
    return "k7W" + secrets.token_urlsafe(18)


def _aws(services: Services, variables: dict[str, str]) -> Account:
    moto = services.moto
    moto.make_user(OWNER)
    key = moto.make_key(OWNER)
    while not any(character.isdigit() for character in key.secret):  # one in a thousand has none, and looks unlike a key
        moto.act("DeleteAccessKey", UserName=OWNER, AccessKeyId=key.id)
        key = moto.make_key(OWNER)
    variables |= {"AWS_ADMIN_ID": moto.admin.id, "AWS_ADMIN_SECRET": moto.admin.secret}
    table = (
        f'target = {{ base_url = "{moto.url}" }}\nscope = {{ user = "{OWNER}", end_sessions = false }}\n'
        'admin = { id = "env:AWS_ADMIN_ID", secret = "env:AWS_ADMIN_SECRET" }\n'
    )
    names = {"AWS_ACCESS_KEY_ID": "{id}", "AWS_SECRET_ACCESS_KEY": "{secret}"}
    old = {"id": key.id, "secret": key.secret}
    return Account("shop/aws", "aws/access-key", old, lambda parts: _ask_aws(moto.url, parts), names, table)


def _ask_aws(url: str, parts: Parts) -> str:
    import boto3  # type: ignore[import-untyped]
    from botocore.config import Config  # type: ignore[import-untyped]
    from botocore.exceptions import ClientError  # type: ignore[import-untyped]

    sts: Any = boto3.client(
        "sts",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=parts["id"],
        aws_secret_access_key=parts["secret"],
        config=Config(retries={"max_attempts": 1}),
    )
    try:
        return str(sts.get_caller_identity()["Arn"])
    except ClientError:
        return ""


def _database(services: Services, variables: dict[str, str]) -> Account:
    server = services.postgres
    keeper, word = new_password(), new_password()
    with server.connect() as connection:
        code = _verifier(connection, DATABASE_KEEPER, keeper)
        connection.execute(f"CREATE ROLE {DATABASE_KEEPER} LOGIN CREATEROLE IN ROLE pg_signal_backend PASSWORD '{code}'")
    with server.connect(DATABASE_KEEPER, keeper) as connection:
        connection.execute(f"CREATE ROLE {OWNER} NOLOGIN")
        code = _verifier(connection, DATABASE_ROLE, word)
        connection.execute(f"CREATE ROLE {DATABASE_ROLE} LOGIN PASSWORD '{code}' IN ROLE {OWNER}")
        connection.execute(f"CREATE ROLE {OWNER}_b NOLOGIN IN ROLE {OWNER}")
    variables |= {"PG_ADMIN_USER": DATABASE_KEEPER, "PG_ADMIN_PASSWORD": keeper}
    table = (
        f'target = {{ host = "{server.host}", port = {server.port} }}\nscope = {{ role = "{OWNER}" }}\n'
        'admin = { user = "env:PG_ADMIN_USER", secret = "env:PG_ADMIN_PASSWORD" }\n'
    )

    def ask(parts: Parts) -> str:
        import psycopg

        try:
            with server.connect(parts["user"], parts["secret"]) as session:
                return " as ".join(session.execute("SELECT session_user, current_user").fetchone() or ())
        except psycopg.OperationalError:
            return ""

    names = {"DATABASE_URL": f"postgresql://{{user}}:{{secret}}@{server.host}:{server.port}/postgres"}
    return Account("shop/database", "postgresql/password", {"user": DATABASE_ROLE, "secret": word}, ask, names, table)


def _verifier(connection: Any, role: str, password: str) -> str:
    """What a server keeps of a password, so that its log does not get the password itself."""
    return str(connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode())


def _cache(services: Services, variables: dict[str, str]) -> Account:
    server = services.redis
    word = new_password()
    server.execute("ACL", "SETUSER", CACHE_USER, "on", f">{word}", "~*", "+@all")
    server.execute("CONFIG", "REWRITE")
    variables |= {"REDIS_ADMIN_USER": server.admin, "REDIS_ADMIN_PASSWORD": server.password}
    table = (
        f'target = {{ host = "{server.host}", port = {server.port} }}\n'
        'admin = { user = "env:REDIS_ADMIN_USER", secret = "env:REDIS_ADMIN_PASSWORD" }\n'
    )

    def ask(parts: Parts) -> str:
        import redis

        client = server.client(parts["user"], parts["secret"])
        try:
            return str(client.execute_command("ACL", "WHOAMI").decode())
        except redis.AuthenticationError:
            return ""
        finally:
            client.close()

    names = {"REDIS_URL": f"redis://{{user}}:{{secret}}@{server.host}:{server.port}/0"}
    return Account("shop/cache", "redis/password", {"user": CACHE_USER, "secret": word}, ask, names, table)


def _tencent(services: Services, variables: dict[str, str]) -> Account:
    cloud = services.tencent
    root, key = cloud.make_key(cloud.root), cloud.make_key(cloud.make_user(CLOUD_USER))
    variables |= {"TENCENT_ADMIN_ID": root.id, "TENCENT_ADMIN_SECRET": root.secret}
    table = (
        f'target = {{ base_url = "{cloud.url}" }}\nscope = {{ user = "{CLOUD_USER}" }}\n'
        'admin = { id = "env:TENCENT_ADMIN_ID", secret = "env:TENCENT_ADMIN_SECRET" }\n'
    )

    def ask(parts: Parts) -> str:
        from importlib import import_module

        common, sts = "tencentcloud.common", "tencentcloud.sts.v20180813"
        refused: type[Exception] = import_module(f"{common}.exception.tencent_cloud_sdk_exception").TencentCloudSDKException
        link = import_module(f"{common}.profile.http_profile").HttpProfile(protocol="http", endpoint=cloud.endpoint)
        profile = import_module(f"{common}.profile.client_profile").ClientProfile(httpProfile=link)
        key = import_module(f"{common}.credential").Credential(parts["id"], parts["secret"])
        client: Any = import_module(f"{sts}.sts_client").StsClient(key, "ap-guangzhou", profile)
        question = import_module(f"{sts}.models").GetCallerIdentityRequest()
        try:
            return str(client.GetCallerIdentity(question).UserId)
        except refused:
            return ""

    names = {"TENCENTCLOUD_SECRET_ID": "{id}", "TENCENTCLOUD_SECRET_KEY": "{secret}"}
    return Account("cloud/tencent", "tencent/access-key", {"id": key.id, "secret": key.secret}, ask, names, table)


def _openrouter(services: Services, variables: dict[str, str]) -> Account:
    vendor = services.openrouter
    variables["OPENROUTER_ADMIN"] = vendor.management.value
    table = f'target = {{ base_url = "{vendor.url}" }}\nadmin = {{ secret = "env:OPENROUTER_ADMIN" }}\n'
    old = {"secret": vendor.make_key("agent").value}

    def ask(parts: Parts) -> str:
        return _answer(f"{vendor.url}/api/v1/key", {"Authorization": f"Bearer {parts['secret']}"}, "data", "label")

    return Account("agent/openrouter", "openrouter/api-key", old, ask, {"OPENROUTER_API_KEY": "{secret}"}, table)


def _anthropic(services: Services, variables: dict[str, str]) -> Account:
    vendor = services.anthropic
    variables["ANTHROPIC_ADMIN"] = vendor.admin
    table = f'target = {{ base_url = "{vendor.url}" }}\nadmin = {{ secret = "env:ANTHROPIC_ADMIN" }}\n'
    table += 'scope = { workspace = "wrkspc_default" }\n'

    def ask(parts: Parts) -> str:
        headers = {"x-api-key": parts["secret"], "anthropic-version": "2023-06-01"}
        return _answer(f"{vendor.url}/v1/models", headers, "data", 0, "id")

    def make() -> Parts:
        return {"secret": vendor.console_create_key("agent, after the drill").value}

    old = {"secret": vendor.console_create_key("agent").value}
    return Account("agent/anthropic", "anthropic/api-key", old, ask, {"ANTHROPIC_API_KEY": "{secret}"}, table, make)


def _gitlab(services: Services, variables: dict[str, str]) -> Account:
    host = services.gitlab
    project = host.add_project("shop/web", owner=MAINTAINER)
    owner = host.add_user("owner")
    owner.levels[("project", project)] = MAINTAINER
    variables["GITLAB_ADMIN"] = host.add_token(owner).value
    table = f'target = {{ base_url = "{host.url}" }}\nscope = {{ project = "{project}", scopes = ["read_api"] }}\n'
    table += 'admin = { secret = "env:GITLAB_ADMIN" }\n'
    old = {"secret": host.add_resource_token("project", project, "read_api", name="ci").value}

    def ask(parts: Parts) -> str:
        return _answer(f"{host.url}/api/v4/personal_access_tokens/self", {"PRIVATE-TOKEN": parts["secret"]}, "name")

    return Account("ci/gitlab", "gitlab/access-token", old, ask, {"GITLAB_TOKEN": "{secret}"}, table)


def _openai(services: Services, variables: dict[str, str], admin_leaked: bool) -> tuple[Account, ...]:
    vendor = services.openai
    project = vendor.make_project("shop")
    account = vendor.make_account(project, "ci")
    key = vendor.make_key("service_account", project.id, account.id)
    admin = {"secret": vendor.admin.value}
    variables["OPENAI_ADMIN"] = admin["secret"]
    reference = "vault:vault/lanes/admins/openai#secret" if admin_leaked else "env:OPENAI_ADMIN"
    shared = f'target = {{ base_url = "{vendor.url}" }}\nadmin = {{ secret = "{reference}" }}\n'
    scope = f'scope = {{ project = "{project.id}", service_account = "{account.id}" }}\n'

    def ask(parts: Parts) -> str:
        return _answer(f"{vendor.url}/v1/models", {"Authorization": f"Bearer {parts['secret']}"}, "object")

    def ask_admin(parts: Parts) -> str:
        headers = {"Authorization": f"Bearer {parts['secret']}"}
        return _answer(f"{vendor.url}/v1/organization/admin_api_keys", headers, "object")

    names = {"OPENAI_API_KEY": "{secret}"}
    lane = Account("ci/openai", "openai/service-account-key", {"secret": key.value}, ask, names, shared + scope)
    if not admin_leaked:
        return (lane,)
    return lane, Account("admins/openai", "openai/admin-key", admin, ask_admin, {"OPENAI_ADMIN_KEY": "{secret}"}, shared)


def _answer(url: str, headers: Mapping[str, str], *way: str | int) -> str:
    """What stands at a place in the answer; empty where the credential is refused. Raises OSError where nobody answers."""
    request = urllib.request.Request(url, headers={**headers, "User-Agent": "drill"})
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as reply:
            found = json.load(reply)
    except urllib.error.HTTPError as error:
        if error.code in (401, 403):
            return ""
        raise
    for step in way:
        found = found[step]
    return str(found)
