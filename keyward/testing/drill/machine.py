"""The machine of a drill: a home folder with projects whose live files hold the credentials, and the operator's own folder beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import NamedTuple

from keyward.testing.drill.accounts import Account, Accounts
from keyward.testing.drill.services import MOUNT, Services

POLICY = """\
path "secret/data/*" { capabilities = ["create", "read", "update", "delete", "patch"] }
path "secret/metadata/*" { capabilities = ["create", "read", "update", "delete", "patch", "list"] }
path "secret/destroy/*" { capabilities = ["create", "update"] }
"""
"""What the operator's token may do in OpenBao."""

STOLEN, CLEAN = "agent-7", "agent-8"
"""Names of the host that is stolen, and of the one that takes its place."""

_TIERS = {
    "admins": (1, "operations"),
    "shop": (1, "production"),
    "cloud": (1, "operations"),
    "agent": (2, "production"),
    "ci": (3, "ci"),
}


class Consumer(NamedTuple):
    """A file that uses credentials. `ref`: whose. `path`: relative to the home. `type`: as in the configuration. `host`: where it stands,
    empty for the operator's own."""

    ref: str
    path: str
    type: str = "dotenv"
    host: str = ""


CONSUMERS = (
    Consumer("shop/aws", "shop/.env"),
    Consumer("shop/database", "shop/compose.yml", "compose"),
    Consumer("shop/cache", "shop/.env"),
    Consumer("cloud/tencent", "cloud/.env"),
    Consumer("agent/openrouter", "agent/.env", host=STOLEN),
    Consumer("agent/anthropic", "agent/.env", host=STOLEN),
    Consumer("ci/gitlab", "ci/.env"),
    Consumer("ci/openai", "ci/.env"),
)


class Machine:
    """`root`: of everything. `home`: the home folder, which is the one that leaks. `work`: the operator's folder, where commands are typed
    and reports lie. `paused`: a file that stops deployments while it is there; the operator's pause hook makes it."""

    def __init__(self, root: str, services: Services, accounts: Accounts) -> None:
        self.root, self.services, self.accounts = root, services, accounts
        self.home, self.work = os.path.join(root, "home"), os.path.join(root, "work")
        self.config = os.path.join(self.work, "config.toml")
        self.paused = os.path.join(self.work, "deploys.paused")

    def build(self) -> None:
        """Live files, repository, configuration. Raises OSError."""
        for folder in (self.home, self.work, os.path.join(self.root, "tmp")):
            os.mkdir(folder, 0o700)
        self._live_files()
        self.services.bao.request("PUT", "sys/policies/acl/keyward", {"policy": POLICY})
        self.token = self.services.bao.new_token("keyward")
        self.write_config()

    def _live_files(self) -> None:
        texts: dict[str, str] = {}
        for each in CONSUMERS:
            account = self.accounts.named(each.ref)
            if each.type == "compose":
                head, line = (
                    _COMPOSE,
                    "".join(f"      {name}: {form.format(**account.old)}\n" for name, form in account.names.items()),
                )
            else:
                head, line = "# production\n", account.spoken("\n") + "\n"
            texts[each.path] = texts.get(each.path, head) + line
        for path, text in texts.items():
            self.write(path, text)

    def write_config(self, agent_host: str = STOLEN) -> None:
        """The operator's configuration. `agent_host`: the machine on which the agent runs."""
        lines = [
            f'[stores.vault]\ntype = "vault"\naddress = "{self.services.bao.url}"\nmount = "{MOUNT}"\ntoken = "env:BAO_TOKEN"\n'
        ]
        lines.append("\n[incident]\nhome_only = true\n")
        lines.append(
            f'\n[[incident.pause]]\nname = "deploys"\nrun = ["touch", "{self.paused}"]\nundo = ["rm", "{self.paused}"]\n'
        )
        for lane, (tier, environment) in _TIERS.items():
            entries = [each for each in self.accounts.all if each.lane == lane]
            if entries:
                lines.append(f'\n[lanes.{lane}]\ntier = {tier}\nenvironment = "{environment}"\n')
                lines += [self._entry(lane, each) for each in entries]
                lines += [self._consumer(lane, each, agent_host) for each in CONSUMERS if each.ref.startswith(lane + "/")]
        with open(os.open(self.config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write("".join(lines))

    def _entry(self, lane: str, account: Account) -> str:
        name = account.ref.partition("/")[2]
        return f'\n[[lanes.{lane}.credentials]]\nname = "{name}"\nkind = "{account.kind}"\n{account.table}'

    def _consumer(self, lane: str, consumer: Consumer, agent_host: str) -> str:
        lines = [
            f"\n[[lanes.{lane}.consumers]]",
            f'type = "{consumer.type}"',
            f'path = "{os.path.join(self.home, consumer.path)}"',
        ]
        lines += [f'credentials = ["{consumer.ref.partition("/")[2]}"]']
        lines += ['service = "web"'] if consumer.type == "compose" else []
        lines += [f'host = "{agent_host}"', "create = true"] if consumer.host else []
        # in an address, a value is written as addresses want it
        names = {
            name: form.replace("}:", "|url}:").replace("}@", "|url}@")
            for name, form in self.accounts.named(consumer.ref).names.items()
        }
        settings = ", ".join(f'{name} = "{value}"' for name, value in names.items())
        return "\n".join([*lines, f"set = {{ {settings} }}", ""])

    @property
    def variables(self) -> dict[str, str]:
        """The environment of the operator's commands, and of nobody else's."""
        passed = {name: value for name in ("LANG", "TERM", "NO_COLOR", "SYSTEMROOT") if (value := os.environ.get(name))}
        return {
            **passed,
            **self.accounts.variables,
            # keyward and git filter-repo stand beside this Python
            "PATH": os.pathsep.join((os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath))),
            "GIT_CONFIG_NOSYSTEM": "1",
            "HOME": self.home,
            "TMPDIR": os.path.join(self.root, "tmp"),
            "KEYWARD_CONFIG": self.config,
            "KEYWARD_STATE": os.path.join(self.root, "state"),
            "KEYWARD_CACHE": cache_of(self.root),
            "BAO_TOKEN": self.token,
        }

    def path(self, name: str) -> str:
        """A path below the home, with the folders above it made."""
        path = os.path.join(self.home, name)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        return path

    def replace_agent(self) -> None:
        """A clean machine takes the stolen one's place: its files are gone with it, and the configuration has the new one's name."""
        for path in {each.path for each in CONSUMERS if each.host}:
            os.unlink(os.path.join(self.home, path))
        self.write_config(agent_host=CLEAN)

    def write(self, name: str, content: str | bytes) -> str:
        """Writes a file of the home, for its owner alone."""
        path = self.path(name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        return path

    def git(self, *words: str) -> bytes:
        """git in the shop's repository, without anybody's configuration. Raises CalledProcessError."""
        names = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in _PERSON.items()}
        environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": self.home, "GIT_CONFIG_NOSYSTEM": "1", **names}
        folder = os.path.join(self.home, "shop")
        done = subprocess.run(
            ["git", "-C", folder, *words], env=environment, capture_output=True, check=True, stdin=subprocess.DEVNULL
        )
        return done.stdout


def cache_of(root: str) -> str:
    """The cache folder of the operator's commands: the drill's own, unless one is given from outside."""
    return os.environ.get("KEYWARD_CACHE") or os.path.join(root, "cache")


_COMPOSE = """\
services:
  web:
    image: shop:1.4.2
    environment:
      LOG_LEVEL: info
"""
_PERSON = {"NAME": "Ann", "EMAIL": "ann@shop.example"}
