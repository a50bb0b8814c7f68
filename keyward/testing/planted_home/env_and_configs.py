"""Env files, the files of those who start programs with some, and the credential files of tools: each as its tool writes it."""

from __future__ import annotations

import base64
import json
import plistlib
import random
import sqlite3
from collections.abc import Callable

from keyward.testing.planted_home import Home

_TIME = "2026-03-01T09:00:00Z"


def plant(home: Home) -> None:
    """Plants all of them."""
    for group in (
        _dotenv,
        _services,
        _starting,
        _ci,
        _aws,
        _git,
        _docker,
        _packages,
        _clouds,
        _services_of_vendors,
        _rest,
        _opaque,
    ):
        group(home)


def _text(home: Home, place: str, path: str, content: str, *, where: str = "", encoding: str = "utf-8") -> None:
    """A text file with `{}` where its canary stands."""
    value = home.canary(place, path, where=where)
    home.write(path, content.replace("{}", value).encode(encoding))


def _json(home: Home, place: str, path: str, make: Callable[[str], object], *, where: str = "", indent: int | None = 2) -> None:
    """A JSON file that `make` gives from its canary."""
    home.write(path, json.dumps(make(home.canary(place, path, where=where)), indent=indent) + "\n")


def _dotenv(home: Home) -> None:
    lines = "NODE_ENV=production\nGITHUB_TOKEN={}\nPORT=8080\n"
    _text(home, "env/dotenv", "projects/shop/.env", lines, where="GITHUB_TOKEN")
    _text(home, "env/dotenv local, double quotes", "projects/shop/.env.local", 'export GITHUB_TOKEN="{}" # mine\n')
    _text(home, "env/dotenv production, single quotes", "projects/shop/.env.production", "GH='{}'\n")
    _text(home, "env/dotenv backticks", "projects/shop/.env.test", "GH=`{}`\n")
    _text(home, "env/dotenv value of several lines", "projects/shop/api/.env", 'NOTE="first line\n{}\nlast line"\n')
    _text(home, "env/dotenv copy", "projects/shop/.env.bak", lines)
    _text(home, "env/dotenv dated copy", "projects/shop/.env.bak.20260301", lines)
    _text(home, "env/dotenv editor's copy", "projects/shop/.env~", lines)
    _text(home, "env/name before the ending", "projects/shop/config/prod.env", lines)
    _text(home, "env/docker run --env-file", "projects/shop/run.env", 'GITHUB_TOKEN="{}"\n')
    _text(home, "env/UTF-16 of PowerShell", "projects/windows/.env", "\ufeffGITHUB_TOKEN={}\r\n", encoding="utf-16-le")
    _text(home, "env/Windows line ends", "projects/windows/.env.local", "A=1\r\nGITHUB_TOKEN={}\r\n")
    _text(home, "env/flask", "projects/flask/.flaskenv", "FLASK_APP=shop\nGITHUB_TOKEN={}\n")
    _text(home, "env/wrangler", "projects/worker/.dev.vars", "GITHUB_TOKEN={}\n")
    _text(home, "env/direnv", "projects/shop/.envrc", "dotenv_if_exists\nexport GITHUB_TOKEN={}\n")
    _text(home, "env/mise", "projects/shop/.mise.toml", '[env]\nGITHUB_TOKEN = "{}"\n')


def _services(home: Home) -> None:
    unit = '[Unit]\nDescription=Agent\n\n[Service]\nExecStart=/usr/bin/agent\nEnvironment="GITHUB_TOKEN={}" LANG=C\n\n[Install]\nWantedBy=default.target\n'
    _text(home, "env/systemd unit", ".config/systemd/user/agent.service", unit)
    _text(
        home,
        "env/systemd drop-in",
        ".config/systemd/user/agent.service.d/override.conf",
        "[Service]\nEnvironment=GITHUB_TOKEN={}\n",
    )
    _text(home, "env/systemd unit copy", ".config/systemd/user/agent.service.bak", unit)
    _text(home, "env/EnvironmentFile", ".config/agent/agent.env", "# read by agent.service\nGITHUB_TOKEN={}\n; old\n")
    _text(home, "env/EnvironmentFile copy", ".config/agent/agent.env.old", "GITHUB_TOKEN={}\n")
    _text(home, "env/environment.d", ".config/environment.d/50-agent.conf", "GITHUB_TOKEN={}\n")
    for place, path, form in (
        ("env/LaunchAgent", "Library/LaunchAgents/org.example.agent.plist", plistlib.FMT_XML),
        ("env/LaunchAgent, binary", "Library/LaunchAgents/org.example.other.plist", plistlib.FMT_BINARY),
    ):
        value = home.canary(place, path)
        job = {"Label": "org.example", "EnvironmentVariables": {"GITHUB_TOKEN": value}, "RunAtLoad": True}
        home.write(path, plistlib.dumps(job, fmt=form))
    compose = "services:\n  web:\n    image: web:1\n    environment:\n      GITHUB_TOKEN: {}\n"
    _text(home, "env/compose", "projects/shop/docker-compose.yml", compose)
    _text(
        home,
        "env/compose override",
        "projects/shop/compose.override.yaml",
        "services:\n  web:\n    environment:\n      - GITHUB_TOKEN={}\n",
    )
    _text(home, "env/compose copy", "projects/shop/docker-compose.yml.bak", compose)
    _text(home, "env/Dockerfile", "projects/shop/Dockerfile", "FROM alpine:3\nARG GITHUB_TOKEN={}\nENV LANG=C\n")
    _json(
        home,
        "env/pm2",
        ".pm2/dump.pm2",
        lambda value: [{"name": "agent", "env": {"GITHUB_TOKEN": value, "PWD": "/srv"}, "exec_mode": "fork_mode"}],
    )


def _starting(home: Home) -> None:
    _text(home, "env/bashrc", ".bashrc", "alias ll='ls -l'\nexport GITHUB_TOKEN={}\n")
    _text(home, "env/bashrc copy", ".bashrc.bak", "export GITHUB_TOKEN={}\n")
    _text(home, "env/profile", ".profile", 'GITHUB_TOKEN="{}"; export GITHUB_TOKEN\n')
    _text(home, "env/zshenv", ".zshenv", "export GITHUB_TOKEN={}\n")
    _text(home, "env/fish", ".config/fish/config.fish", "set -gx GITHUB_TOKEN {}\n")
    _text(
        home,
        "env/fish variables",
        ".config/fish/fish_variables",
        "# This file contains fish universal variable definitions.\n# VERSION: 3.0\nSETUVAR --export GITHUB_TOKEN:{}\n",
    )


def _ci(home: Home) -> None:
    _text(
        home,
        "env/GitHub Actions",
        "projects/shop/.github/workflows/ci.yml",
        "on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    env:\n      GITHUB_TOKEN: {}\n    steps:\n      - run: make\n",
    )
    _text(home, "env/GitLab CI", "projects/shop/.gitlab-ci.yml", "variables:\n  GITHUB_TOKEN: {}\ntest:\n  script: make\n")
    _text(home, "env/secrets of act", "projects/shop/.secrets", "GITHUB_TOKEN={}\n")


def _aws(home: Home) -> None:
    _text(home, "configs/aws credentials", ".aws/credentials", "[default]\nregion = eu-central-1\naws_session_token = {}\n")
    _text(home, "configs/aws config", ".aws/config", "[profile ci]\nregion = eu-west-1\naws_session_token = {}\n")
    _text(home, "configs/aws credentials copy", ".aws/credentials.bak", "[default]\naws_session_token = {}\n")
    _json(
        home,
        "configs/aws sso cache",
        ".aws/sso/cache/6b0b7dd4a1c2.json",
        lambda value: {
            "startUrl": "https://example.awsapps.com/start",
            "region": "eu-west-1",
            "accessToken": value,
            "expiresAt": _TIME,
        },
        indent=None,
    )
    _json(
        home,
        "configs/aws cli cache",
        ".aws/cli/cache/0c5d4e1f.json",
        lambda value: {
            "Credentials": {"SessionToken": value, "Expiration": _TIME},
            "ResponseMetadata": {"HTTPStatusCode": 200},
        },
        indent=None,
    )
    _text(home, "configs/netrc", ".netrc", "machine github.com\n  login ann\n  password {}\n\nmacdef init\ncd /pub\n\n")
    _text(home, "configs/netrc of Windows", "_netrc", "machine api.example.org login ann password {}\n")


def _git(home: Home) -> None:
    _text(home, "configs/git credentials", ".git-credentials", "https://ann%40example.org:{}@github.com\n")
    _text(home, "configs/gitconfig", ".gitconfig", '[url "https://ann:{}@github.com/"]\n\tinsteadOf = https://github.com/\n')
    remote = '[core]\n\tbare = false\n[remote "origin"]\n\turl = https://ann:{}@github.com/example/shop.git\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n'
    _text(home, "configs/git remote", "projects/shop/.git/config", remote)
    home.write("projects/shop/.git/HEAD", "ref: refs/heads/main\n")
    hosts = "github.com:\n    users:\n        ann:\n            oauth_token: {}\n    git_protocol: https\n    user: ann\n"
    _text(home, "configs/gh", ".config/gh/hosts.yml", hosts)
    _text(
        home,
        "configs/glab",
        ".config/glab-cli/config.yml",
        "git_protocol: ssh\nhosts:\n    gitlab.example.org:\n        token: {}\n        api_protocol: https\n",
    )
    _text(home, "configs/hub", ".config/hub", "github.com:\n- user: ann\n  oauth_token: {}\n  protocol: https\n")
    _json(
        home,
        "configs/copilot",
        ".config/github-copilot/hosts.json",
        lambda value: {"github.com": {"user": "ann", "oauth_token": value}},
        indent=None,
    )


def _docker(home: Home) -> None:
    path = ".docker/config.json"
    token = home.canary("configs/docker identitytoken", path)
    auth = base64.b64encode(f"ann:{home.canary('configs/docker auth in base64', path)}".encode()).decode()
    auths = {"ghcr.io": {"auth": auth}, "registry.example.org": {"identitytoken": token}}
    home.write(path, json.dumps({"auths": auths, "credHelpers": {"example.com": "pass"}}, indent="\t"))
    _json(
        home,
        "configs/containers auth",
        ".config/containers/auth.json",
        lambda value: {"auths": {"quay.example.org": {"auth": base64.b64encode(f"robot+ci:{value}".encode()).decode()}}},
    )
    kubeconfig = (
        "apiVersion: v1\nkind: Config\ncurrent-context: prod\nclusters:\n- name: prod\n  cluster:\n    server: https://k8s.example.org:6443\n"
        "users:\n- name: ann\n  user:\n    token: {}\n"
    )
    _text(home, "configs/kubeconfig", ".kube/config", kubeconfig)
    _text(home, "configs/kubeconfig beside", ".kube/staging.yaml", kubeconfig)
    _text(
        home,
        "configs/kubernetes secret in plain",
        "projects/shop/k8s/other-secret.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: other\nstringData:\n  token: {}\n",
    )


def _packages(home: Home) -> None:
    _text(home, "configs/npmrc", ".npmrc", "//npm.example.org/:_authToken={}\nregistry=https://npm.example.org/\n")
    _text(home, "configs/npmrc of a project", "projects/shop/.npmrc", "//npm.example.org/:_authToken={}\n")
    _text(home, "configs/yarnrc", ".yarnrc.yml", 'npmRegistries:\n  "//npm.example.org":\n    npmAuthToken: {}\n')
    _text(
        home,
        "configs/pypirc",
        ".pypirc",
        "[distutils]\nindex-servers = internal\n\n[internal]\nrepository = https://index.example.org/\nusername = ann\npassword = {}\n",
    )
    _text(home, "configs/pip", ".config/pip/pip.conf", "[global]\nextra-index-url = https://ann:{}@index.example.org/simple\n")
    _text(home, "configs/cargo", ".cargo/credentials.toml", '[registries.internal]\ntoken = "{}"\n')
    _text(home, "configs/gem", ".gem/credentials", "---\n:github: Bearer {}\n")
    _text(
        home,
        "configs/maven",
        ".m2/settings.xml",
        "<settings>\n  <servers>\n    <server>\n      <id>github</id>\n      <username>ann</username>\n      <password>{}</password>\n"
        "    </server>\n  </servers>\n</settings>\n",
    )
    _text(
        home,
        "configs/nuget",
        ".nuget/NuGet/NuGet.Config",
        '\ufeff<?xml version="1.0" encoding="utf-8"?>\n<configuration>\n  <packageSourceCredentials>\n    <internal>\n'
        '      <add key="Username" value="ann" />\n      <add key="ClearTextPassword" value="{}" />\n    </internal>\n'
        "  </packageSourceCredentials>\n</configuration>\n",
    )
    _json(home, "configs/composer", ".composer/auth.json", lambda value: {"github-oauth": {"github.com": value}})
    _text(home, "configs/gradle", ".gradle/gradle.properties", "org.gradle.daemon=true\ngpr.key={}\n")
    _text(home, "configs/poetry", ".config/pypoetry/auth.toml", '[http-basic.internal]\nusername = "ann"\npassword = "{}"\n')


def _clouds(home: Home) -> None:
    path = ".config/gcloud/credentials.db"
    value = home.canary("configs/gcloud credentials", path, where="credentials")
    _database(
        home,
        path,
        'CREATE TABLE "credentials" (account_id TEXT PRIMARY KEY, value BLOB)',
        ("ann@example.org", json.dumps({"type": "authorized_user", "refresh_token": value}, indent=2)),
    )
    path = ".config/gcloud/access_tokens.db"
    value = home.canary("configs/gcloud access tokens", path, where="access_tokens")
    _database(
        home,
        path,
        'CREATE TABLE "access_tokens" (account_id TEXT PRIMARY KEY, access_token TEXT, token_expiry TIMESTAMP, rapt_token TEXT, id_token TEXT)',
        ("ann@example.org", value, "2026-03-01 09:00:00", None, None),
    )

    def authorized(value: str) -> object:
        return {"account": "", "quota_project_id": "shop", "refresh_token": value, "type": "authorized_user"}

    _json(home, "configs/gcloud default", ".config/gcloud/application_default_credentials.json", authorized)
    _json(home, "configs/gcloud legacy", ".config/gcloud/legacy_credentials/ann@example.org/adc.json", authorized)
    _json(
        home,
        "configs/azure tokens",
        ".azure/msal_token_cache.json",
        lambda value: {"RefreshToken": {"a-login.example-refreshtoken": {"credential_type": "RefreshToken", "secret": value}}},
        indent=4,
    )
    _json(
        home,
        "configs/azure service principal",
        ".azure/service_principal_entries.json",
        lambda value: [{"client_id": "shop", "tenant": "example", "client_secret": value}],
        indent=None,
    )
    _text(
        home,
        "configs/doctl",
        ".config/doctl/config.yaml",
        "access-token: {}\napi-url: https://api.example.org\ncontext: default\n",
    )
    _text(home, "configs/oci", ".oci/config", "[DEFAULT]\nregion=eu-frankfurt-1\npass_phrase={}\n")
    _text(
        home,
        "configs/hcloud",
        ".config/hcloud/cli.toml",
        "active_context = 'shop'\n\n[[contexts]]\nname = 'shop'\ntoken = '{}'\n",
    )


def _database(home: Home, path: str, table: str, row: tuple[object, ...]) -> None:
    """A SQLite file with one table and one row."""
    connection = sqlite3.connect(home.path(path))
    with connection:
        connection.execute(table)
        name = table.split('"')[1]
        connection.execute(f'INSERT INTO "{name}" VALUES ({",".join("?" * len(row))})', row)
    connection.close()


def _services_of_vendors(home: Home) -> None:
    _text(home, "configs/databricks", ".databrickscfg", "[DEFAULT]\nhost = https://dbc.example.org\ntoken = {}\n")
    _text(home, "configs/snowflake", ".snowflake/connections.toml", '[shop]\naccount = "example"\nuser = "ann"\ntoken = "{}"\n')
    _text(home, "configs/vault token", ".vault-token", "{}")
    _text(home, "configs/hugging face token", ".cache/huggingface/token", "{}")
    _text(home, "configs/hugging face, old", ".huggingface/token", "{}")
    _text(home, "configs/hugging face, several", ".cache/huggingface/stored_tokens", "[work]\nhf_token = {}\n\n")
    _json(
        home,
        "configs/terraform login",
        ".terraform.d/credentials.tfrc.json",
        lambda value: {"credentials": {"app.terraform.io": {"token": value}}},
    )
    _text(
        home,
        "configs/rclone",
        ".config/rclone/rclone.conf",
        '[drive]\ntype = drive\nscope = drive\ntoken = {"access_token":"{}","token_type":"Bearer","expiry":"2026-03-01T09:00:00Z"}\n',
    )
    _json(home, "configs/kaggle", ".kaggle/kaggle.json", lambda value: {"username": "ann", "key": value}, indent=None)
    _text(home, "configs/pgpass", ".pgpass", "db.example.org:5432:shop:ann:{}\n")
    _text(home, "configs/mysql", ".my.cnf", "[client]\nuser=ann\npassword={}\n")
    _text(home, "configs/ssh config", ".ssh/config", "Host build\n  HostName build.example.org\n  SetEnv GITHUB_TOKEN={}\n")
    _text(home, "configs/ssh environment", ".ssh/environment", "GITHUB_TOKEN={}\n")
    _json(
        home,
        "configs/llm",
        ".config/io.datasette.llm/keys.json",
        lambda value: {"// Note": "This file stores secret API credentials. Do not share!", "github": value},
    )


def _rest(home: Home) -> None:
    def state(value: str) -> object:
        outputs = {"token": {"value": value, "type": "string", "sensitive": True}}
        return {"version": 4, "terraform_version": "1.9.8", "serial": 7, "lineage": "shop", "outputs": outputs, "resources": []}

    _json(home, "configs/terraform state", "infra/terraform.tfstate", state)
    _json(home, "configs/terraform state backup", "infra/terraform.tfstate.backup", state)
    _text(home, "configs/terraform variables", "infra/prod.auto.tfvars", 'github_token = "{}"\n')
    _text(home, "configs/helm values", "infra/chart/values.yaml", "image: web\ngithub:\n  token: {}\n")
    _json(
        home,
        "configs/appsettings",
        "projects/dotnet/appsettings.Production.json",
        lambda value: {"Logging": {"LogLevel": {"Default": "Warning"}}, "GitHub": {"Token": value}},
    )
    _text(home, "configs/streamlit", "projects/dash/.streamlit/secrets.toml", 'github_token = "{}"\n')
    _text(home, "configs/ansible vault in plain", "infra/ansible/group_vars/all/vault.yml", "---\ngithub_token: {}\n")
    # beside values that are encrypted, one that somebody forgot
    path = "infra/secrets.yaml"
    value = home.canary("configs/plain value beside sops", path)
    noise = base64.b64encode(_bytes(24)).decode()
    home.canary("configs/sops", path, opaque=True)
    home.write(
        path,
        f"github: ENC[AES256_GCM,data:{noise},iv:{noise},tag:{noise},type:str]\ntoken_unencrypted: {value}\nsops:\n    version: 3.9.1\n",
    )


def _bytes(number: int) -> bytes:
    """Bytes that look encrypted, the same each time."""
    return random.Random(number).randbytes(number)


def _opaque(home: Home) -> None:
    def sealed(place: str, path: str, content: bytes) -> None:
        home.canary(place, path, opaque=True)
        home.write(path, content)

    hexed = _bytes(200).hex().encode().hex()
    lines = "\n".join(hexed[at : at + 80] for at in range(0, len(hexed), 80))
    sealed("configs/ansible vault", "infra/ansible/group_vars/prod/vault.yml", f"$ANSIBLE_VAULT;1.1;AES256\n{lines}\n".encode())
    vault = base64.b64encode(_bytes(48)).decode()
    sealed(
        "env/dotenv vault", "projects/shop/.env.vault", f'#/-- DOTENV_VAULT --/\nDOTENV_VAULT_PRODUCTION="{vault}"\n'.encode()
    )
    sealed("configs/GNOME keyring", ".local/share/keyrings/login.keyring", b"GnomeKeyring\n\r\0\n\0\0\0\0" + _bytes(300))
    sealed("configs/password store", ".password-store/github.gpg", b"\x85\x02\x0c\x03" + _bytes(300))
    sealed(
        "configs/GnuPG key",
        ".gnupg/private-keys-v1.d/0A1B2C.key",
        b"(21:protected-private-key(3:rsa(1:n" + _bytes(300) + b")))",
    )
    sealed("configs/keystore", "certs/client.p12", b"\x30\x82\x0a\x01\x02\x01\x03\x30\x82" + _bytes(300))
    sealed("configs/KeePass", "Documents/passwords.kdbx", b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5" + _bytes(300))
    sealed("configs/mysql login path", ".mylogin.cnf", b"\0\0\0\0" + _bytes(120))
