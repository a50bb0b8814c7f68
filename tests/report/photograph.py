"""Takes the picture of a report that README shows: `python tests/report/photograph.py REPORT.html PICTURE.png`, in a real Chromium.

`make picture` plays a drill and photographs its report.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, os.path.dirname(__file__))
from chromium import Chromium, find

WIDTH, HEIGHT = 1000, 1240
"""Pixels: as much of the report as fits beside a text, down to the blast radius."""


def photograph(report: Path, picture: Path) -> None:
    """Writes the upper part of a report, as a person sees it on a wide screen, by day. Raises OSError where there is no browser."""
    program = find()
    if not program:
        raise OSError("no Chromium is installed (the package `chromium` of a Linux distribution)")
    with tempfile.TemporaryDirectory() as profile, Chromium(program, Path(profile)) as browser:
        page = browser.open(report.resolve().as_uri(), WIDTH, HEIGHT)
        page.screenshot(picture, whole=False)


if __name__ == "__main__":
    photograph(Path(sys.argv[1]), Path(sys.argv[2]))
