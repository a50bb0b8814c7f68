"""The pages about rotation are true: their commands run in a home with lanes, local providers and leaked keys, and every table of
configuration that they show is one that `keyward config check` accepts.

The page's `config.toml` is used with one addition: the addresses of the local providers. In what is printed their address is shown as
the provider's own, and the home as `/home/you`. `kw1_…` in a command stands for the fingerprint in `report.jsonl`.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from rotation_home import Home
from tests_support import token

from keyward.errors import ConfigError, StoreUnavailable
from keyward.flows import config_check
from keyward.model.secret import Secret
from keyward.plugin.ports import Ports
from keyward.registry import Registry
from keyward.rotate.consumers import TYPES
from keyward.stores import open_store
from keyward.stores.vault import keyward_policy
from keyward.testing import provider_pages
from keyward.testing.fakes.anthropic import FakeAnthropic
from keyward.testing.fakes.openrouter import FakeOpenRouter
from keyward.testing.verifier_contract import check_verifier

sys.path.insert(0, os.path.dirname(__file__))
from test_docs import BIN, LEAVES, PAGES, TOP, Command, commands, difference, fences, options, read, run

ROTATION, ADOPTED = "rotation", "rotation, adopted"
IN_HOME = [page for page in PAGES if any(each.home for each in commands(page))]


class DocsHome(Home):
    """A home whose keys are also at a second vendor's."""

    def __init__(self, folder: Path, fake: FakeOpenRouter, anthropic: FakeAnthropic) -> None:
        super().__init__(folder, fake)
        self.anthropic = anthropic
        key = Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        self.write(".ssh/id_ed25519", key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode())
        self.write(".ssh/id_ed25519.pub", public.decode())

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            **super().environment,
            "PATH": BIN + os.pathsep + os.environ["PATH"],
            "ANTHROPIC_ADMIN": self.anthropic.admin,
            "NEW_KEY": self.anthropic.console_create_key("bot").value,
        }

    def write(self, name: str, text: str) -> None:
        """A file of the page; the configuration gets the addresses of the local providers."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name == "config.toml":
            text += f'\n[providers.openrouter]\nbase_url = "{self.fake.url}"\n'
            text += f'\n[providers.anthropic]\nbase_url = "{self.anthropic.url}"\n'
        path.write_text(text)
        path.chmod(0o600)

    def shell(self, command: str) -> tuple[int, str]:
        """Exit code, and what a terminal would have shown."""
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
            check=False,
        )
        text = done.stdout.decode().replace(str(self.folder), "/home/you").replace("127.0.0.1", "openrouter.ai")
        return done.returncode, text.replace(self.old[-2:] + " (73)", "2e (73)")


@pytest.fixture
def docs_home(environment: None, tmp_path: Path) -> Iterator[DocsHome]:
    with FakeOpenRouter() as fake, FakeAnthropic() as anthropic:
        yield DocsHome(tmp_path / "you", fake, anthropic)


@pytest.mark.parametrize("page", IN_HOME)
def test_the_commands_of_a_page_run_and_print_what_is_shown(page: str, docs_home: DocsHome) -> None:
    for fence in fences(page):
        if fence.home and fence.file:
            docs_home.write(fence.file, fence.text)
    if any(each.home == ADOPTED for each in commands(page)):
        docs_home.adopt()
    for command in commands(page):
        if command.home:
            _run(docs_home, command)


def _run(home: DocsHome, command: Command) -> None:
    text = command.text
    report = home.folder / "report.jsonl"
    if "kw1_…" in text:
        text = text.replace("kw1_…", json.loads(report.read_text().splitlines()[0])["fingerprint"])
    code, printed = home.shell(text)
    where = f"{command.page}:{command.line}: $ {command.text}\n{printed}"
    assert code == command.code, f"exited with {code}, not {command.code}: {where}"
    for value in (*(key.value for key in home.fake.keys.values()), home.anthropic.admin):
        assert value not in printed, f"a value was printed: {where.replace(value, '***')}"
    if command.shown:
        wrong = difference(command.shown, printed, home.folder)
        assert not wrong, f"{wrong}\n{where}"


def test_there_are_pages_whose_commands_run_in_a_home() -> None:
    assert {"docs/rotation.md", "docs/lanes.md", "docs/incident.md"} <= set(IN_HOME)


# --- configuration -------------------------------------------------------------------------------------------------------------

TABLES = [
    fence
    for page in PAGES
    if page.startswith(
        ("docs/providers/", "docs/lanes", "docs/consumers", "docs/rotation", "docs/incident", "docs/writing-a-rot")
    )
    for fence in fences(page, "toml")
    if fence.file in ("", "config.toml") and not fence.text.startswith("[project]")
]


@pytest.mark.parametrize("fence", TABLES, ids=lambda fence: f"{fence.page}:{fence.line}")
def test_every_table_is_one_that_config_check_accepts(fence: Any, environment: None, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(fence.text)
    path.chmod(0o600)
    operator = config_check.check(str(path)).operator
    for name, table in operator.stores.items():
        try:
            open_store(name, _with_files(table, tmp_path), ports_for=Ports, resolve=lambda reference: Secret(b"x")).close()
        except (ConfigError, StoreUnavailable) as error:
            # the table was read to its end; what it names is not on this machine
            assert any(text in str(error) for text in ("the keyring", "there is no keyring", "the local vault was never started")), error


def _with_files(table: Mapping[str, object], folder: Path) -> Mapping[str, object]:
    """A file that a table names and that must be there is made here."""
    made = dict(table)
    if "ca_file" in made:
        (folder / "ca.pem").touch()
        made["ca_file"] = str(folder / "ca.pem")
    return made


def test_there_are_tables_to_check() -> None:
    assert len(TABLES) > 30


def test_keyward_s_own_policy_is_the_one_on_the_page() -> None:
    shown = next(fence.text for fence in fences("docs/lanes.md", "hcl"))
    assert shown.strip() == keyward_policy().strip()


# --- the pages of the providers ---------------------------------------------------------------------------------------------------

PROVIDERS = TOP / "docs" / "providers"


def test_the_pages_of_the_providers_are_what_the_rotators_say() -> None:
    """Made anew by: python -m keyward.testing.provider_pages docs/providers"""
    made = provider_pages.pages()
    there = {path.name: path.read_text("utf-8") for path in PROVIDERS.glob("*.md")}
    stale = sorted(name for name in {*made, *there} if made.get(name) != there.get(name))
    assert stale == [], f"run: {provider_pages.COMMAND}"


def test_every_rotator_has_a_page_and_a_row() -> None:
    registry = Registry()
    index = read("docs/providers/index.md")
    assert registry.rotators() and not registry.unavailable_rotators
    for kind, rotator in registry.rotators().items():
        name = type(rotator).__module__.rpartition(".")[2]
        page = (PROVIDERS / f"{name}.md").read_text("utf-8")
        assert f"`{kind}`" in page and f"`{kind}`" in index
        assert all(right in page for right in rotator.admin.rights)
        assert all(step in " ".join(page.split()) for step in (rotator.manual.steps if rotator.manual else ()))


def test_pages_are_written_and_those_of_packs_that_are_gone_are_taken_out(tmp_path: Path) -> None:
    (tmp_path / "gone.md").write_text("# A pack that is gone\n")
    (tmp_path / "aws.md").write_text("stale\n")
    assert {"gone.md", "aws.md", "index.md"} <= set(provider_pages.write(str(tmp_path)))
    assert not (tmp_path / "gone.md").exists()
    assert (tmp_path / "aws.md").read_text() == provider_pages.pages()["aws.md"]
    assert provider_pages.write(str(tmp_path)) == []


# --- the worked example of a rotator -------------------------------------------------------------------------------------------------


def test_a_pack_as_on_the_page_is_loaded_when_the_operator_names_it(environment: None, tmp_path: Path) -> None:
    for fence in fences("docs/writing-a-rotator.md"):
        if fence.file:
            (tmp_path / fence.file).write_text(fence.text)
    with open(tmp_path / "pyproject.toml", "rb") as file:
        points = tomllib.load(file)["project"]["entry-points"]
    info = tmp_path / "acme_keyward-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-keyward\nVersion: 1.0\n")
    lines = [f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in names.items()) for group, names in points.items()]
    (info / "entry_points.txt").write_text("\n".join(lines))
    os.chmod(tmp_path / "operator.toml", 0o600)
    variables = {
        "PYTHONPATH": str(tmp_path),
        "KEYWARD_CONFIG": str(tmp_path / "operator.toml"),
        "ACME_ADMIN": token(3).decode(),
    }
    (tmp_path / "empty").mkdir()
    checked = run("keyward config check", tmp_path / "empty", **variables)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    planned = run("keyward plan shop/acme", tmp_path / "empty", **variables)
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert "RESERVE" in planned.stdout and "a person makes the new one" not in planned.stdout


def test_the_detector_on_the_page_verifies_as_its_cases_say(tmp_path: Path) -> None:
    text = next(fence.text for fence in fences("docs/writing-a-rotator.md") if fence.file == "acme.py")
    (tmp_path / "acme.py").write_text(text)
    spec = importlib.util.spec_from_file_location("acme_with_verify", tmp_path / "acme.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert list(check_verifier(module)) == []


# --- what there is, is described ---------------------------------------------------------------------------------------------------


ABOUT = "\n".join(read(page) for page in ("README.md", "docs/rotation.md", "docs/lanes.md", "docs/incident.md"))
COMMANDS = (
    "plan",
    "rotate",
    "resume",
    "provide",
    "distribute",
    "status",
    "history",
    "abort",
    "revoke",
    "approve",
    "due",
    "init",
)
GROUPS = ("lanes", "config", "vault", "audit")


@pytest.mark.parametrize("words", [words for words in LEAVES if words.split()[1] in (*COMMANDS, *GROUPS)])
def test_every_option_of_the_commands_is_on_a_page(words: str) -> None:
    wanted = options(words) - {"--help", "-h", "-n", "-y", "-a", "-w", "-l", "-o"}
    assert [option for option in sorted(wanted) if option not in ABOUT] == []


def test_the_commands_are_those_that_there_are() -> None:
    there = {words.split()[1] for words in LEAVES}
    assert {*COMMANDS, *GROUPS} <= there


@pytest.mark.parametrize("type", TYPES)
def test_every_type_of_consumer_is_on_its_page_with_a_table(type: str) -> None:
    text = read("docs/consumers.md")
    assert f"`{type}`" in text
    assert f'type = "{type}"' in text
