"""An internal error says where, and nothing of what was being read."""

from __future__ import annotations

import pytest

from keyward.cli.crash import report

CANARY = "canary-51f2"


def test_the_report_holds_no_value(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setenv("KEYWARD_STATE", str(tmp_path))

    def fails(value: str) -> None:
        raise ValueError(f"cannot parse {value}")

    try:
        fails(CANARY)
    except ValueError as error:
        assert report(error) == 70
    shown = capsys.readouterr()
    written = next(tmp_path.glob("crash-*.txt"))
    assert CANARY not in shown.out + shown.err + written.read_text()
    assert str(written) in shown.err
    assert "test_crash.py" in written.read_text()
    assert "ValueError" in written.read_text()
    assert written.stat().st_mode & 0o777 == 0o600
