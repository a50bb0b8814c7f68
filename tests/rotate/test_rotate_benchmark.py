"""The benchmark of big rotations still runs, and says what it compares with. No time is judged here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "rotate.py"


def test_ten_credentials_are_rotated_both_ways_and_the_bound_is_printed() -> None:
    command = [sys.executable, str(BENCHMARK), "--credentials", "10", "--latency", "0.005", "--store", "memory"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert "memory: 10 credentials" in done.stdout and "own time a step" in done.stdout
    phases = re.findall(r"^  (quarantine|whole run, \w+) +(\d+\.\d) +(\d+\.\d) +\d+\.\d\d×", done.stdout, re.MULTILINE)
    assert [name for name, _, _ in phases] == ["whole run, planned", "quarantine", "whole run, incident"]
    for provider in ("github", "gitlab", "openai", "openrouter", "tencent"):
        assert re.search(rf"^  {provider}: planned \d+ calls, [1-9]\d* of them changing", done.stdout, re.MULTILINE)
