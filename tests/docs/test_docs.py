"""The documentation is true: its commands run, its transcripts are what is printed, its examples work, its links lead somewhere.

In a fenced `console` block, a line that begins with `$ ` is a command. It is run in a small leaky git repository (one for each page;
the commands of a page run one after another) and must exit with 0, or as a trailing comment `# exits with N` says. The lines
below it are what it prints: all of it, or with `…` on a line of its own for what was left out. A fence after a comment
`<!-- file: NAME -->` is a file, which is there when the commands run. After a comment `<!-- home: NAME -->` commands run somewhere
else (`test_rotation_docs.py`), and after `<!-- home: -->` here again.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer
import yaml

from keyward.cli.app import command_line
from keyward.registry import BUILT_IN, Pack
from keyward.testing.detector_contract import HEADINGS, check_pack
from keyward.testing.leaky_project import plant

TOP = Path(__file__).resolve().parents[2]
PAGES = sorted(path.relative_to(TOP).as_posix() for path in (*TOP.glob("*.md"), *(TOP / "docs").rglob("*.md")))
BIN = os.path.dirname(sys.executable)


# --- what stands on the pages -----------------------------------------------------------------------------------------------


class Fence(NamedTuple):
    """A fenced block. `file`: the name that the comment before it gives. `home`: where its commands run."""

    page: str
    line: int
    language: str
    text: str
    file: str
    home: str = ""


class Command(NamedTuple):
    page: str
    line: int
    text: str
    code: int
    shown: tuple[str, ...]
    home: str = ""


def read(page: str) -> str:
    return (TOP / page).read_text("utf-8")


_FENCE = re.compile(
    r"(?:^<!-- file: (?P<file>\S+) -->\n)?^(?P<mark>`{3,})(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=mark)$", re.M | re.S
)


_HOME = re.compile(r"^<!-- home:(?: (?P<name>[a-z, ]+?))? -->$", re.M)


def fences(page: str, language: str = "") -> list[Fence]:
    text = read(page)
    homes = [(match.start(), match["name"] or "") for match in _HOME.finditer(text)]
    found = [
        Fence(
            page,
            text.count("\n", 0, match.start("text")),
            match["language"],
            match["text"],
            match["file"] or "",
            next((name for start, name in reversed(homes) if start < match.start()), ""),
        )
        for match in _FENCE.finditer(text)
    ]
    return [fence for fence in found if not language or fence.language == language]


def prose(page: str) -> str:
    return _FENCE.sub("", read(page))


_EXITS = re.compile(r"\s*#.*?\bexits with (\d+)\s*$")


def commands(page: str) -> Iterator[Command]:
    for fence in fences(page, "console"):
        lines = fence.text.splitlines()
        starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
        assert starts[:1] == [0], f"{page}:{fence.line}: a console block begins with a command"
        for start, end in zip(starts, [*starts[1:], len(lines)]):
            said = _EXITS.search(lines[start])
            yield Command(
                page,
                fence.line + start + 1,
                _EXITS.sub("", lines[start][2:]),
                int(said[1]) if said else 0,
                tuple(lines[start + 1 : end]),
                fence.home,
            )


# --- commands that cannot be run here ----------------------------------------------------------------------------------------


def _project() -> dict[str, Any]:
    with open(TOP / "pyproject.toml", "rb") as file:
        return tomllib.load(file)["project"]


def _has_target(name: str) -> Callable[[], bool]:
    return lambda: re.search(rf"^{name}:", (TOP / "Makefile").read_text(), re.M) is not None


def _installs_the_command() -> bool:
    project = _project()
    return project["name"] == "keyward-secrets" and project["scripts"]["keyward"] == "keyward.cli.main:entry"


def _has_hooks() -> bool:
    return {hook["id"] for hook in yaml.safe_load((TOP / ".pre-commit-hooks.yaml").read_text())} >= {
        "keyward",
        "keyward-system",
    }


NOT_RUN: dict[str, tuple[str, Callable[[], bool]]] = {
    "make demo": ("makes an environment and installs into it; the target must exist", _has_target("demo")),
    "make test": ("runs this test, among others; the target must exist", _has_target("test")),
    "pipx install .": ("builds and downloads; the project's name and script are checked", _installs_the_command),
    "pip install .": ("builds and downloads; the project's name and script are checked", _installs_the_command),
    "pre-commit install": ("tests/cli runs the real pre-commit; the ids of the hooks must exist", _has_hooks),
}


def test_commands_that_are_not_run_hold_otherwise() -> None:
    shown = {command.text.strip() for page in PAGES for command in commands(page)}
    for text, (reason, holds) in NOT_RUN.items():
        assert text in shown, f"{text!r} is on no page any more"
        assert reason
        assert holds(), text


# --- the others ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def project(environment: None, new_repo: Any, tmp_path: Path) -> Path:
    """A repository of two commits; the second one leaks, and so does the staged change, and what git ignores or does not know."""
    folder = tmp_path / "project"
    plant(str(folder))
    git = new_repo(folder)
    for message, paths in (
        ("First", (".gitignore", ".env.example", "src", "package-lock.json")),
        ("Compose", ("docker-compose.yml",)),
    ):
        git("add", "--", *paths)
        git("commit", "-q", "-m", message)
    git("add", "--", "deploy/credentials")
    return folder


def run(text: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", text],
        cwd=folder,
        env={**os.environ, "PATH": BIN + os.pathsep + os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=120,
        check=False,
    )


def write_files(page: str, folder: Path) -> None:
    for fence in fences(page):
        if fence.file and not fence.home:
            (folder / fence.file).write_text(fence.text)


@pytest.mark.parametrize("page", [page for page in PAGES if any(not each.home for each in commands(page))])
def test_the_commands_of_a_page_run_and_print_what_is_shown(page: str, project: Path) -> None:
    write_files(page, project)
    for command in commands(page):
        if command.home or command.text.strip() in NOT_RUN:
            continue
        done = run(command.text, project)
        where = f"{page}:{command.line}: $ {command.text}\n{done.stdout}{done.stderr}"
        assert done.returncode == command.code, f"exited with {done.returncode}, not {command.code}: {where}"
        if command.shown:
            wrong = difference(command.shown, done.stdout + done.stderr, project)
            assert not wrong, f"{wrong}\n{where}"


_VARIES = (
    (re.compile(r"kw1_[a-z2-7]{26}"), "kw1_…"),
    (re.compile(r"\b\d+\.\d+ ?s\b"), "N s"),
    (re.compile(r"\br\d{8}-\d{6}-[0-9a-f]{6}\b"), "r…"),
    (re.compile(r"\bPlan [0-9a-f]{24}\b"), "Plan …"),
    (re.compile(r"\b\d+ (?:s|min) ago\b"), "N s ago"),
    (re.compile(r"\b(?:version|head) \d+(?::[0-9a-f…]+)?"), "version N"),
    (re.compile(r"\b20\d\d-\d\d-\d\d(?: \d\d:\d\d(?::\d\d)?Z?)?"), "DATE"),
    (re.compile(r"\b\d+ (packs|rules|kinds|samples)\b"), r"N \1"),
)


def _lines(text: str, folder: Path) -> list[str]:
    text = text.replace(str(folder), "/home/you/project")
    for pattern, instead in _VARIES:
        text = pattern.sub(instead, text)
    lines = [line.rstrip() for line in text.splitlines() if not line.startswith("keyward: compiling ")]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def difference(shown: tuple[str, ...], printed: str, folder: Path) -> str:
    """What is shown and was not printed there; an empty string if the transcript is true."""
    wanted, actual = _lines("\n".join(shown), folder), _lines(printed, folder)
    at = 0
    gap = False
    for line in wanted:
        if line == "…":
            gap = True
            continue
        try:
            found = actual.index(line, at)
        except ValueError:
            return f"shown, and not printed (there): {line!r}"
        if found != at and not gap:
            return f"printed, and not shown before {line!r}: {actual[at]!r}"
        at, gap = found + 1, False
    return "" if gap or at == len(actual) else f"printed, and not shown at the end: {actual[at]!r}"


def test_a_wrong_transcript_is_noticed(tmp_path: Path) -> None:
    printed = "one\ntwo\n\nthree, in 0.3 s\n"
    assert difference(("one", "two", "", "three, in 7.7 s"), printed, tmp_path) == ""
    assert difference(("one", "…", "three, in 7.7 s"), printed, tmp_path) == ""
    assert "'two'" in difference(("one", "", "three, in 7.7 s"), printed, tmp_path)
    assert "'four'" in difference(("one", "…", "four"), printed, tmp_path)
    assert "at the end" in difference(("one", "two"), printed, tmp_path)


_WORKFLOW_COMMANDS = re.compile(r"^\s*- (?:run: )?(keyward .*)$", re.M)


@pytest.mark.parametrize("page", [page for page in PAGES if fences(page, "yaml")])
def test_yaml_is_yaml_and_its_commands_run(page: str, project: Path) -> None:
    for fence in fences(page, "yaml"):
        assert yaml.safe_load(fence.text), f"{page}:{fence.line}"
        for text in _WORKFLOW_COMMANDS.findall(fence.text):
            done = run(text, project, BASE="HEAD~1")
            assert done.returncode == 1, f"{page}:{fence.line}: {text}\n{done.stderr}"


def test_the_hooks_in_yaml_exist_and_their_arguments_are_understood(project: Path) -> None:
    known = {hook["id"]: hook["entry"] for hook in yaml.safe_load((TOP / ".pre-commit-hooks.yaml").read_text())}
    shown = [item for fence in fences("docs/pre-commit.md", "yaml") for item in _hooks(yaml.safe_load(fence.text))]
    assert shown
    for hook in shown:
        done = run(" ".join([known[hook["id"]], *hook.get("args", ()), "docker-compose.yml"]), project)
        assert done.returncode == 1, done.stderr


def _hooks(loaded: Any) -> list[dict[str, Any]]:
    return [hook for repo in loaded["repos"] for hook in repo["hooks"]] if isinstance(loaded, dict) else loaded


# --- the worked example -------------------------------------------------------------------------------------------------------

EXAMPLE = "docs/writing-a-detector.md"


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module on the page."""
    write_files(EXAMPLE, tmp_path)
    spec = importlib.util.spec_from_file_location("acme", tmp_path / "acme.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_worked_example_keeps_the_contract_of_a_built_in_detector(acme: Any) -> None:
    """That it passes the test on the page, a DetectorContract, is seen where the page's commands are run."""
    assert "$ python -m pytest -q test_acme.py\n…\n3 passed" in read(EXAMPLE)
    problems = list(check_pack(Pack("acme", BUILT_IN, acme.KINDS, acme.RULES, acme.__doc__)))
    assert not problems, "\n".join(f"{p.where}: {p.message}" for p in problems)
    for heading in HEADINGS:
        assert f"| `{heading}` |" in read(EXAMPLE)


def test_the_example_s_companion_is_as_sure_as_the_page_says(acme: Any) -> None:
    rule = next(rule for rule in acme.RULES if rule.companions)
    assert (rule.score, rule.alone) == (70, -40)
    assert "`alone=-40` brings its 70 below 50; with its secret nearby it is 80" in read(EXAMPLE).replace("\n", " ")


def test_a_pack_as_on_the_page_is_loaded_only_when_the_operator_names_it(acme: Any, environment: None, tmp_path: Path) -> None:
    with open(tmp_path / "pyproject.toml", "rb") as file:
        project = tomllib.load(file)["project"]
    info = tmp_path / f"acme_keyward-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = project["entry-points"]["keyward.detectors"]
    (info / "entry_points.txt").write_text("[keyward.detectors]\n" + "".join(f"{k} = {v}\n" for k, v in points.items()))
    os.chmod(tmp_path / "operator.toml", 0o600)
    installed = {"PYTHONPATH": str(tmp_path)}
    named = {**installed, "KEYWARD_CONFIG": str(tmp_path / "operator.toml")}

    (tmp_path / "empty").mkdir()
    unnamed = run("keyward plugins list", tmp_path / "empty", **installed)
    assert "plugin:acme" not in unnamed.stdout
    assert "not named in your configuration: acme" in unnamed.stdout
    listed = run("keyward plugins list", tmp_path / "empty", **named)
    assert re.search(r"^plugin:acme +third-party +2 kinds, 2 rules$", listed.stdout, re.M), listed.stdout + listed.stderr

    leak = tmp_path / "leak"
    leak.mkdir()
    (leak / "client.py").write_bytes(b"client = Client('" + acme._key().sample(3).text + b"')\n")
    assert "acme/api-key" not in run("keyward scan -f jsonl --persona auditor", leak, **installed).stdout
    found = run("keyward scan -f jsonl", leak, **named)
    assert found.returncode == 1
    assert '"kind":"acme/api-key"' in found.stdout, found.stdout + found.stderr


# --- everything is mentioned, and what is mentioned exists -----------------------------------------------------------------------


def _tree() -> dict[str, Any]:
    """Every command of the command line, by its words."""
    tree: dict[str, Any] = {}

    def walk(command: Any, words: str) -> None:
        tree[words] = command
        for name, inner in getattr(command, "commands", {}).items():
            walk(inner, f"{words} {name}")

    walk(typer.main.get_command(command_line()), "keyward")
    return tree


TREE = _tree()
LEAVES = [words for words, command in TREE.items() if not getattr(command, "commands", None)]


def options(words: str) -> set[str]:
    shown = [
        o for p in TREE[words].params if p.param_type_name == "option" and not p.hidden for o in (*p.opts, *p.secondary_opts)
    ]
    return {*shown, "--help", "-h"}


def _mentions(text: str, option: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", text) is not None


@pytest.mark.parametrize("words", LEAVES)
def test_every_command_is_in_the_readme(words: str) -> None:
    assert words in read("README.md")


def test_every_option_of_scan_is_on_the_page_about_scanning() -> None:
    assert [option for option in sorted(options("keyward scan")) if not _mentions(read("docs/scanning.md"), option)] == []


def test_every_option_of_the_hook_is_on_the_page_about_hooks() -> None:
    text = read("docs/pre-commit.md")
    wanted = options("keyward hook run") | options("keyward hook git install")
    assert [option for option in sorted(wanted - {"--help", "-h"}) if not _mentions(text, option)] == []


def _inline_commands(page: str) -> Iterator[list[str]]:
    for span in re.findall(r"`([^`]+)`", prose(page)):
        for piece in " ".join(span.replace("\\|", "|").split()).split(" | "):
            if re.match(r"keyward [a-z-]", piece):
                yield shlex.split(piece)


@pytest.mark.parametrize("page", PAGES)
def test_commands_within_the_text_exist_with_their_options(page: str) -> None:
    for words in _inline_commands(page):
        path = ""
        for number in range(len(words), 0, -1):
            if " ".join(words[:number]) in TREE:
                path = " ".join(words[:number])
                break
        assert path not in ("", "keyward"), f"{page}: there is no {' '.join(words)!r}"
        named = {word.partition("=")[0] for word in words if word.startswith("-") and word not in ("-", "--")}
        assert named <= options(path), f"{page}: {path} has no {', '.join(sorted(named - options(path)))}"


# --- links, and the style of the house -----------------------------------------------------------------------------------------

_LINK = re.compile(r"(?<!!)\[[^\]\[]*\]\(([^)\s]+)\)")


def _anchors(page: Path) -> set[str]:
    text = _FENCE.sub("", page.read_text("utf-8"))
    titles = re.findall(r"^#+ (.+?)\s*$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    broken = []
    for target in _LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (TOP / page).parent / path if path else TOP / page
        if not file.exists() or (anchor and anchor not in _anchors(file)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", PAGES)
def test_pages_name_no_registry_and_have_no_pictures_for_words(page: str) -> None:
    text = read(page)
    assert not re.search(r"pypi\.|pythonhosted|npmjs|registry\.", text)
    assert not [c for c in text if ord(c) >= 0x1F000 or 0x2600 <= ord(c) < 0x27C0]


def test_no_page_holds_anything_that_looks_like_a_secret(environment: None) -> None:
    done = run("keyward scan --no-baseline --persona pedantic README.md CHANGELOG.md docs", TOP)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Allowed" not in done.stdout
