"""What detect-secrets and gitleaks left in a repository is honoured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyward.errors import ConfigError
from keyward.plugin.checksums import crc32_base62
from keyward.plugin.shapes import Shape, an, concat, upper
from keyward.scan.interop import DetectSecretsBaseline, GitleaksIgnore, value_hashes


def value(shape: Shape, seed: int) -> bytes:
    return shape.sample(seed).text


GITHUB = concat("ghp_", an(30)).tail(lambda token: crc32_base62(token[4:]))
AWS_ID = concat("AKIA", upper(16))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the real detect-secrets scanned and somebody half audited."""
    pytest.importorskip("detect_secrets")
    folder = tmp_path_factory.mktemp("project")
    (folder / "src").mkdir()
    (folder / "src" / "one.py").write_bytes(b'token = "' + value(GITHUB, 1) + b'"\nid = "' + value(AWS_ID, 2) + b'"\n')
    (folder / "two.py").write_bytes(b'key = "' + value(GITHUB, 3) + b'"\n')
    (folder / "key.pem").write_text("-----BEGIN RSA PRIVATE KEY-----\n")
    done = subprocess.run(
        [sys.executable, "-m", "detect_secrets", "scan", "--all-files", "."],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    data = json.loads(done.stdout)
    labels = {value_hashes([value(GITHUB, 1)]): False, value_hashes([value(AWS_ID, 2)]): True}
    for items in data["results"].values():
        for item in items:
            label = labels.get(frozenset([item["hashed_secret"]]))
            if label is not None:
                item["is_secret"] = label
    (folder / ".secrets.baseline").write_text(json.dumps(data, indent=2))
    return folder


def test_a_file_that_detect_secrets_wrote(project: Path) -> None:
    baseline = DetectSecretsBaseline.load(str(project / ".secrets.baseline"))
    assert baseline is not None
    allowed = {
        (path, seed): baseline.allows(path, value_hashes([b"something else", value(shape, seed)]))
        for path, shape, seed in (
            ("src/one.py", GITHUB, 1),
            ("src/one.py", AWS_ID, 2),
            ("two.py", GITHUB, 3),
            ("two.py", GITHUB, 1),
        )
    }
    assert allowed["src/one.py", 1] == (".secrets.baseline", "audited as a false positive")
    assert allowed["src/one.py", 2] == (".secrets.baseline", "audited as a real secret")
    assert allowed["two.py", 3] == (".secrets.baseline", "not audited")
    assert allowed["two.py", 1] is None


def test_paths_of_any_system(project: Path) -> None:
    text = (project / ".secrets.baseline").read_text().replace("src/one.py", "src\\\\one.py")
    baseline = DetectSecretsBaseline.loads(text)
    hashes = value_hashes([value(GITHUB, 1)])
    assert all(baseline.allows(path, hashes) for path in ("src/one.py", "./src/one.py", "src\\one.py"))


def test_a_private_keys_header_allows_nothing(project: Path) -> None:
    text = (project / ".secrets.baseline").read_text()
    assert "Private Key" in text
    baseline = DetectSecretsBaseline.loads(text)
    assert not baseline.allows("key.pem", value_hashes([b"BEGIN RSA PRIVATE KEY"]))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"results": []}', '{"generated_at": 1}', "[" * 100_000])
def test_what_is_no_detect_secrets_baseline(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        DetectSecretsBaseline.loads(text, "s")
    assert str(caught.value).startswith("s:") and caught.value.hint


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "hashed_secret", "is_secret", "x"]), inner)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=5), json_values, max_size=3))
def test_odd_entries_are_passed_over(results: dict[str, object]) -> None:
    baseline = DetectSecretsBaseline.loads(json.dumps({"results": results}))
    assert baseline.allows("x", {"y"}) is None or baseline.secrets


def test_no_files(tmp_path: Path) -> None:
    assert DetectSecretsBaseline.load(str(tmp_path / "x")) is None
    assert GitleaksIgnore.load(str(tmp_path / "x")) is None


COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_gitleaksignore(tmp_path: Path) -> None:
    (tmp_path / ".gitleaksignore").write_text(
        "# a comment\n\nsrc/one.py:github-pat:3\n  windows\\path.cs:generic-api-key:7  \n"
        f"{COMMIT}:old.py:aws-access-token:12\nodd:name.py:rule:4\nnot a line\nfile:rule:no\n:rule:3\n"
    )
    ignore = GitleaksIgnore.load(str(tmp_path / ".gitleaksignore"))
    assert ignore is not None
    assert ignore.unread == (7, 8, 9)
    assert ignore.allows("src/one.py", 3) == (".gitleaksignore", "listed by file and line")
    assert ignore.allows("./src/one.py", 3) and ignore.allows("src\\one.py", 3) and ignore.allows("windows/path.cs", 7)
    assert ignore.allows("odd:name.py", 4)
    assert not ignore.allows("src/one.py", 4) and not ignore.allows("one.py", 3)
    assert not ignore.allows("old.py", 12) and not ignore.allows("old.py", 12, "f" * 40)
    assert ignore.allows("old.py", 12, COMMIT)
    assert ignore.allows("src/one.py", 3, COMMIT)


@given(st.text())
def test_any_gitleaksignore(text: str) -> None:
    ignore = GitleaksIgnore.loads(text)
    assert len(ignore.places) + len(ignore.unread) <= len(text.split("\n"))
