"""Plugins of detect-secrets, run by the real package."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from keyward.errors import ConfigError, MissingExtra
from keyward.flows.scan import ScanOptions, scan
from keyward.match.catalogue import build
from keyward.match.fingerprint import Fingerprinter
from keyward.model.finding import Outcome
from keyward.plugin.shapes import an, hexa
from keyward.registry import Registry, pack_files
from keyward.scan.examine import Examined, Examiner, Place
from keyward.scan.interop.detect_secrets import LONGEST_LINE, PluginRunner, load
from keyward.scan.interop.matching import InteropMatcher

pytest.importorskip("detect_secrets")

ACME = '''
import re
from detect_secrets.plugins.base import RegexBasedDetector

class AcmeDetector(RegexBasedDetector):
    """The user's own."""
    secret_type = "Acme Token"
    denylist = (re.compile(r"acme-[a-z0-9]{20}(?=\\b)"),)

    def verify(self, secret):
        raise SystemExit("asked a provider")
'''


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    path = tmp_path / "plugins" / "acme.py"
    path.parent.mkdir()
    path.write_text(ACME)
    path.chmod(0o600)
    return path


def token(seed: int) -> str:
    return "acme-" + an(20).sample(seed).text.decode().lower()


def no_rules() -> Registry:
    return Registry(disabled=[name for name, _ in pack_files()])


def examined(runner: PluginRunner, text: bytes, name: str = "a.py") -> Examined:
    matcher = InteropMatcher(no_rules(), build(no_rules(), portable=True), None, plugins=runner)
    return Examiner(matcher, Fingerprinter(b"0" * 32)).examine_bytes(Place("tree", name), text)


@pytest.fixture
def outcome(tmp_path: Path, environment: None) -> Callable[..., Outcome]:
    def run(folder: Path, *plugins: str, config: str | None = None) -> Outcome:
        return scan(
            ScanOptions(
                paths=(str(folder),), detect_secrets_plugins=plugins, operator_config=config, portable=True, jobs=1, baseline=""
            )
        )

    return run


def test_the_users_own_plugin_finds_in_place(plugin: Path) -> None:
    runner = PluginRunner(load([str(plugin)]))
    text = f"# notes\nx = '{token(1)}'  \ny = 1\nz = {token(2)}\n"
    found = examined(runner, text.encode()).occurrences
    assert [(o.rule, str(o.kind), o.line, text[o.locator.start : o.locator.end]) for o in found] == [
        ("detect-secrets/acme-token", "detect-secrets/acme-token", 2, token(1)),
        ("detect-secrets/acme-token", "detect-secrets/acme-token", 4, token(2)),
    ]
    assert all(token(seed) not in repr(o) for o in found for seed in (1, 2))
    assert [o.confidence for o in found] == [65, 65]


def test_detect_secrets_own_plugins_by_name_without_verification(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load(["SlackDetector", "HexHighEntropyString"])
    assert [each.kind.title for each in loaded] == ["Slack Token", "Hex High Entropy String"]
    for each in loaded:
        assert each.plugin.verify("x").name == "UNVERIFIED"
    with pytest.raises(ConfigError) as caught:
        load(["SlackDetecter"])
    assert "Did you mean `SlackDetector`" in caught.value.hint
    found = examined(PluginRunner(loaded), b'api_key = "' + hexa(40).sample(1).text + b'"\n').occurrences
    assert [o.rule for o in found] == ["detect-secrets/hex-high-entropy-string"]


def test_a_plugin_that_would_ask_a_provider_is_not_let(plugin: Path) -> None:
    """Even where detect-secrets' settings say that it should."""
    from detect_secrets.settings import get_settings

    name = "detect_secrets.filters.common.is_ignored_due_to_verification_policies"
    get_settings().filters[name] = {"min_level": 2}
    try:
        found = examined(PluginRunner(load([str(plugin)])), f"x = {token(1)}\n".encode()).occurrences
    finally:
        del get_settings().filters[name]
    assert len(found) == 1


def test_a_whole_scan_and_what_it_ranks_below(tmp_path: Path, plugin: Path, outcome: Callable[..., Outcome]) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a.txt").write_text(f"one {token(1)}\n\ntwo {token(2)}  # pragma: allowlist secret\n")
    done = outcome(tree, str(plugin))
    assert [(f.rule, f.occurrences[0].line) for f in done.findings] == [("detect-secrets/acme-token", 1)]
    assert [o.line for o in done.allowed] == [3]
    assert done.complete
    assert outcome(tree).findings == ()


def test_the_operators_configuration_names_plugins_beside_itself(
    tmp_path: Path, plugin: Path, outcome: Callable[..., Outcome]
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a.txt").write_text(f"one {token(1)}\n")
    config = tmp_path / "config.toml"
    config.write_text('detect_secrets_plugins = ["plugins/acme.py"]\n')
    config.chmod(0o600)
    assert len(outcome(tree, config=str(config)).findings) == 1
    (tree / "keyward.toml").write_text('detect_secrets_plugins = ["acme.py"]\n')
    with pytest.raises(ConfigError) as caught:
        outcome(tree)
    assert "belongs in the operator's configuration" in str(caught.value)


def test_what_is_no_plugin_is_refused(tmp_path: Path, plugin: Path) -> None:
    empty = tmp_path / "empty.py"
    empty.write_text(
        "from detect_secrets.plugins.base import RegexBasedDetector\nfrom detect_secrets.plugins.slack import SlackDetector\n"
    )
    empty.chmod(0o600)
    broken = tmp_path / "broken.py"
    broken.write_text(f"raise ValueError({token(3)!r})\n")
    broken.chmod(0o600)
    for path, says in ((empty, "no plugin"), (broken, "ValueError"), (tmp_path / "none.py", "no such file")):
        with pytest.raises(ConfigError) as caught:
            load([str(path)])
        assert says in str(caught.value)
        assert token(3) not in str(caught.value)
    plugin.chmod(0o666)
    with pytest.raises(ConfigError) as caught:
        load([str(plugin)])
    assert "others can change this file" in str(caught.value)


def test_a_plugin_that_raises_or_is_slow_has_given_up_on_the_file(plugin: Path) -> None:
    loaded = load([str(plugin)])

    def breaks(**line: object) -> None:
        raise RuntimeError(f"cannot bear {line['line']}")

    loaded[0].plugin.analyze_line = breaks
    result = examined(PluginRunner(loaded), f"x = {token(1)}\n".encode())
    assert result.occurrences == []
    assert "detect-secrets/acme-token gave up" in result.problems[0].reason
    assert token(1) not in repr(result)

    ticks = iter(range(0, 1000, 4))
    slow = PluginRunner(load([str(plugin)]), clock=lambda: float(next(ticks)), seconds=10)
    result = examined(slow, "".join(f"a{n} = {token(n)}\n" for n in range(20)).encode())
    assert 0 < len(result.occurrences) < 20
    assert len(result.problems) == 1


def test_each_different_line_is_asked_about_once_and_long_ones_in_pieces(plugin: Path) -> None:
    loaded = load([str(plugin)])
    asked: list[str] = []
    real = loaded[0].plugin.analyze_line

    def counted(**line: object) -> object:
        asked.append(str(line["line"]))
        return real(**line)

    loaded[0].plugin.analyze_line = counted
    filler = "import something\n" * 500
    assert len(examined(PluginRunner(loaded), (filler + f"x = {token(1)}\n" * 3 + "ab\n").encode()).occurrences) == 3
    assert len(asked) == 2
    asked.clear()
    long = ("y" * (LONGEST_LINE - 30) + " " + token(2) + " ") * 3
    found = examined(PluginRunner(loaded), long.encode()).occurrences
    assert [o.locator.start for o in found] == [at for at in range(len(long)) if long.startswith(token(2), at)]
    assert max(map(len, asked)) <= LONGEST_LINE


def test_a_binary_file_is_left_alone(plugin: Path) -> None:
    assert examined(PluginRunner(load([str(plugin)])), b"\0\1\2" + token(1).encode()).occurrences == []


@pytest.fixture
def without_detect_secrets() -> Iterator[None]:
    """As on a machine where the package is not installed."""
    held = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "detect_secrets"}
    sys.modules["detect_secrets"] = None  # type: ignore[assignment]
    yield
    del sys.modules["detect_secrets"]
    sys.modules.update(held)


def test_without_the_package_the_extra_is_named(plugin: Path, without_detect_secrets: None) -> None:
    with pytest.raises(MissingExtra) as caught:
        load([str(plugin)])
    assert "keyward-secrets[interop]" in caught.value.hint
