"""The two configurations: what each may say, and errors that name the line and the remedy."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from keyward.errors import ConfigError, RuleError
from keyward.model.finding import Allowance
from keyward.plugin.shapes import hexa
from keyward.registry import Registry
from keyward.scan.config import (
    OperatorConfig,
    ProjectConfig,
    load_operator,
    load_project,
    load_rules,
    load_user_rules,
    operator_path,
)  # fmt: skip
from keyward.scan.user_rules import validate_user_rules

A, B = "kw1_" + "a" * 26, "kw1_" + "b" * 26
TOKEN = b"acme_" + hexa(32).sample(3).text


def rule(**changes: str) -> str:
    """A `[[rules]]` table; a value of None leaves the key out."""
    values = {
        "id": '"acme-token"',
        "title": '"Acme API token"',
        "pattern": r"'''\bacme_(?P<secret>[a-f0-9]{32})\b'''",
        "severity": '"critical"',
        "examples": f'["key = {TOKEN.decode()}"]',
        "near_misses": f'["key = {TOKEN.decode()[:-1]}"]',
        **changes,
    }
    return "[[rules]]\n" + "".join(f"{key} = {value}\n" for key, value in values.items() if value)


def project(folder: Path, text: str) -> ProjectConfig:
    (folder / "keyward.toml").write_text(text, encoding="utf-8")
    return load_project(str(folder))


def operator(folder: Path, text: str) -> OperatorConfig:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return load_operator(str(path))


def test_no_file_is_an_empty_configuration_and_imports_nothing(tmp_path: Path) -> None:
    code = (
        "import sys; from keyward.scan.config import load_operator, load_project, operator_path\n"
        "assert not load_project(sys.argv[1]).path and not load_operator(operator_path(None)).path\n"
        "print(*sys.modules)"
    )
    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path)}
    environment.pop("KEYWARD_CONFIG", None)
    loaded = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], env=environment, capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"tomllib", "difflib", "msgspec", "re2", "keyward.formats.toml_file", "keyward.scan.user_rules"} & set(loaded)


def test_a_projects_configuration(tmp_path: Path) -> None:
    text = f'exclude = ["vendor/", "*.min.js"]\n[[ignore]]\nfingerprint = "{A}"\nreason = "a  sample\tkey"\n' + rule()
    config = project(tmp_path, text)
    assert config.exclude == ("vendor/", "*.min.js")
    assert config.ignored == {A: Allowance("keyward.toml", "a sample key")}
    (user,) = config.rules
    assert user.rule.id == "user/acme-token" == user.rule.kind == user.kind.name
    assert not user.rule.trusted and user.kind.severity == "critical" and user.kind.title == "Acme API token"
    assert config.is_own_sample(TOKEN) and not config.is_own_sample(b"other") and not config.is_own_sample(b"")


def test_an_operators_configuration(tmp_path: Path) -> None:
    text = (
        f'exclude = ["*.log"]\nplugins = ["acme"]\npersona = "auditor"\ndisabled = ["github", "aws/access-key"]\n'
        f'[limits]\nmin_file_size = 8\nmax_file_size = "20 MB"\n[[ignore]]\nfingerprint = "{B}"\nreason = "mine"\n'
        f"[lanes.home]\nanything = {{ goes = true }}\n[stores]\n" + rule(id='"acme/token"')
    )
    config = operator(tmp_path, text)
    assert config._replace(rules=(), path="") == OperatorConfig(
        exclude=("*.log",),
        ignored={B: Allowance("the operator's configuration", "mine")},
        plugins=("acme",),
        persona="auditor",
        disabled=("github", "aws/access-key"),
        min_file_size=8,
        max_file_size=20_000_000,
        reserved=("lanes", "stores"),
    )
    assert config.rules[0].rule.id == "acme/token"


@pytest.mark.parametrize(
    "line", ['plugins = ["x"]', 'persona = "auditor"', 'disabled = ["aws"]', "[limits]", "[lanes.x]", "[verify]"]
)
def test_a_project_may_not_decide_what_belongs_to_the_operator(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        project(tmp_path, f"exclude = []\n{line}\n")
    assert "keyward.toml:2: " in str(caught.value) and "belongs in the operator's configuration" in str(caught.value)
    assert "Move it to" in caught.value.hint


ENTRY = f'[[ignore]]\nfingerprint = "{A}"\n'

WRONG = [
    # text, line, part of the message, part of the hint
    ("exclude = [\n", 2, "is not TOML", "toml.io"),
    ("a = 1\nb = oops\n", 2, "is not TOML", "toml.io"),
    ("a = 1\na = 2\n", 2, "is not TOML", "toml.io"),
    ("\nexclud = []\n", 2, "no key `exclud`", "Did you mean `exclude`?"),
    ("banana = []\n", 1, "no key `banana`", "exclude, ignore, rules"),
    ("[rule]\n", 1, "no key `rule`", "`rules`"),
    ('exclude = "vendor/"\n', 1, "list of texts", 'exclude = ["…", "…"]'),
    ("# c\nexclude = [1]\n", 2, "list of texts", "exclude ="),
    ('exclude = ["ok", "!x"]\n', 1, "pattern 2 of `exclude`", ".gitignore"),
    ("ignore = 1\n", 1, "list of tables", "[[ignore]]"),
    ("[ignore]\n", 1, "list of tables", "[[ignore]]"),
    (ENTRY, 1, "`reason` is missing", "Say why"),
    (ENTRY + 'reason = "  "\n', 3, "`reason` is empty", "Say why"),
    (ENTRY + "reason = 1\n", 3, "`reason` must be text", "quotation"),
    ('[[ignore]]\nreason = "x"\n', 1, "`fingerprint` is missing", "Copy it"),
    ('[[ignore]]\nfingerprint = "kw1_x"\nreason = "x"\n', 2, "no fingerprint", "26 characters"),
    (ENTRY + 'reason = "x"\nline = 3\n', 4, "no key `line`", "fingerprint, reason"),
    ((ENTRY + 'reason = "x"\n') * 2, 5, "listed twice", "Delete"),
    (rule(id=""), 1, "`id` is missing", "Give the rule a name"),
    (rule(id='"Acme Token"'), 2, "the id is not", "lower-case"),
    (rule(id='"github/mine"'), 2, "built-in", "user/mine"),
    (rule(kind='"github/pat-classic"'), 8, "the kind", "Leave `kind` out"),
    (rule(examples=""), 1, "`examples` is missing", "must find"),
    (rule(near_misses="[]"), 7, "`near_misses` is empty", "must not find"),
    (rule(severity='"huge"'), 5, "severity", "critical, high"),
    (rule(regex="'x'"), 8, "no key `regex`", "Known are"),
    (rule(patern="'x'"), 8, "no key `patern`", "`pattern`"),
    (rule(ignore_case='"yes"'), 8, "true or false", "without quotation"),
    (rule(score="500"), 8, "whole number from 1 to 100", "score = 75"),
    (rule() + rule(), 9, "is taken by the rule in line 2", "another id"),
    (rule(pattern="'acme_[0-9'"), 4, "not a regular expression: unterminated", "brackets"),
    (rule(pattern="'a.'"), 4, "fewer than 3 bytes", "fixed prefix"),
    (rule(pattern="'(?=x)acme_'"), 4, "lookahead", "named group"),
    (rule(pattern=r"'(acme)_\1'"), 4, "a backreference", "named group"),
    (rule(pattern="'acme_(?>x+)'"), 4, "an atomic group", "named group"),
    (rule(pattern=r"'acme_\Z'"), 4, r"\Z", "named group"),
    (rule(pattern="'(?x) acme_ x'"), 4, "(?x)", "without spaces"),
    (rule(pattern="'(?a)acme_x'"), 4, "a flag", "(?i)"),
    (rule(pattern="'acme_(?a:x)'"), 4, "a flag", "(?i)"),
    (rule(pattern="'acme_x{2000}'"), 4, "more than 1000 times", "without an upper limit"),
    (rule(pattern="'acme_(?:x{900}y){900}'"), 4, "more than 5000 bytes", "shorter"),
    (rule(pattern="'" + "a" * 2001 + "'"), 4, "more than 2000 bytes", "Split"),
    ("".join(rule(id=f'"r{n}"') for n in range(201)), 200 * 7 + 1, "more than 200 rules", "Join"),
    ("".join(rule(id=f'"r{n}"', pattern="'acme_x{900}y{900}z{900}u{900}v{900}'") for n in range(30)), 22 * 7 + 4, "all patterns together", "shorter"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "message", "hint"), WRONG)
def test_what_is_wrong_is_named_with_its_line_and_a_remedy(
    tmp_path: Path, text: str, line: int, message: str, hint: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        project(tmp_path, text)
    error = caught.value
    assert message in str(error) and hint in error.hint
    assert (error.path, error.line) == (str(tmp_path / "keyward.toml"), line)
    assert f"keyward.toml:{line}: " in str(error)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ('plugin = ["x"]\n', "no key `plugin`", "`plugins`"),
        ('persona = "auditer"\n', "unknown persona", "`auditor`"),
        ("[limits]\nmax_file_size = -1\n", "must be a size", '"20 MB"'),
        ('[limits]\nmax_file_size = "huge"\n', "must be a size", '"20 MB"'),
        ("[limits]\nmax_size = 1\n", "no key `max_size`", "`max_file_size`"),
        ("[limits]\nmin_file_size = 9\nmax_file_size = 5\n", "below", "Leave"),
        ("limits = 1\n", "must be a table", "[limits]"),
    ],
)
def test_what_is_wrong_in_the_operators(tmp_path: Path, text: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        operator(tmp_path, text)
    assert message in str(caught.value) and hint in caught.value.hint and caught.value.line


@pytest.mark.parametrize(("text", "size"), [("17", 17), ('"5 kB"', 5000), ('"2MiB"', 2 << 20), ('"1 GB"', 10**9), ('"7"', 7)])
def test_sizes(tmp_path: Path, text: str, size: int) -> None:
    assert operator(tmp_path, f"[limits]\nmax_file_size = {text}\n").max_file_size == size


@pytest.mark.skipif(os.name == "nt", reason="permission bits")
def test_an_operators_file_that_others_may_write_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("")
    path.chmod(0o666)
    with pytest.raises(ConfigError) as caught:
        load_operator(str(path))
    assert "others can change" in str(caught.value) and "chmod" in caught.value.hint


def test_a_named_file_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYWARD_CONFIG", str(tmp_path / "no.toml"))
    assert operator_path(None) == str(tmp_path / "no.toml") and operator_path("x") == "x"
    with pytest.raises(ConfigError, match="no such file"):
        load_operator(operator_path(None))
    with pytest.raises(ConfigError, match="no such file"):
        load_rules(str(tmp_path / "no.toml"))


def test_a_hostile_file(tmp_path: Path) -> None:
    for text in ("a = " + "[" * 100_000, "\x00", '"\\u001b[2K" = 1'):
        with pytest.raises(ConfigError) as caught:
            project(tmp_path, text)
        assert "\x1b" not in str(caught.value)
    (tmp_path / "keyward.toml").write_bytes(b"#" * (2 << 20))
    with pytest.raises(ConfigError, match="larger than"):
        load_project(str(tmp_path))


def test_the_rules_work_in_both_engines(tmp_path: Path) -> None:
    rules = project(tmp_path, rule() + rule(id='"acme/other"', pattern="'OTHER_[A-Z]{12}'", ignore_case="true",
                    examples='["x other_qwmzhtlkdpvb x"]', near_misses='["OTHER_QWMZHTLKDPV1"]')).rules  # fmt: skip
    assert validate_user_rules(rules) == []
    assert validate_user_rules([each.rule for each in rules]) == []
    assert validate_user_rules([]) == []


def test_samples_that_do_not_hold_are_reported(tmp_path: Path) -> None:
    swapped = rule(examples=f'["{TOKEN.decode()[:-1]}"]', near_misses=f'["{TOKEN.decode()}"]')
    messages = " ".join(problem.message for problem in validate_user_rules(project(tmp_path, swapped).rules))
    assert "example 1" in messages and "near miss 1" in messages and TOKEN.decode() not in messages


def test_rules_from_a_file_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text(rule())
    assert [each.id for each in load_rules(str(tmp_path / "rules.toml"))] == ["user/acme-token"]
    assert load_user_rules(str(tmp_path / "rules.toml"))[0].kind.severity == "critical"
    (tmp_path / "rules.toml").write_text("[[rule]]\n")
    with pytest.raises(ConfigError, match="no key `rule`"):
        load_rules(str(tmp_path / "rules.toml"))


def test_a_projects_rule_ranks_below_a_built_in_one(tmp_path: Path) -> None:
    mine = project(tmp_path, rule()).rules[0].rule
    built_in = next(each for _, each in Registry(disabled=()).rules() if each.id == "github/pat-classic")
    assert mine.specificity < built_in.specificity
    assert load_rules(str(tmp_path / "keyward.toml"))[0].specificity == built_in.specificity


def test_as_many_rules_as_are_allowed_are_read_quickly(tmp_path: Path) -> None:
    text = "".join(rule(id=f'"r{n}"', pattern=f"'acme{n}_[a-z0-9]{{20,400}}'") for n in range(200))
    start = time.process_time()
    assert len(project(tmp_path, text).rules) == 200
    assert time.process_time() - start < 2


def test_a_rule_error_names_the_rule_file(tmp_path: Path) -> None:
    assert issubclass(RuleError, ConfigError)
    with pytest.raises(ConfigError) as caught:
        project(tmp_path, "rules = [{ id = 'x' }]\n")
    assert caught.value.path.endswith("keyward.toml") and caught.value.line == 1
