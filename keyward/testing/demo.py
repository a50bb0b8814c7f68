"""`make demo`: scans this repository, and a small leaky project planted in a temporary folder, with the real command."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from keyward.testing.leaky_project import plant


def main() -> int:
    """Runs the real command as a user would, twice, and explains what is seen. Answers 0 if both runs ended as expected."""
    command = os.path.join(os.path.dirname(sys.executable), "keyward")
    with tempfile.TemporaryDirectory(prefix="keyward-demo-") as folder:
        project = os.path.join(folder, "leaky-project")
        plant(project)
        print(f"A small project with {len(os.listdir(project))} entries was planted in {project}:\n")
        print("$ keyward scan", flush=True)
        leaky = subprocess.run(
            [command, "scan", "--color", "always" if sys.stdout.isatty() else "auto"], cwd=project
        ).returncode
        print(f"\n(exit code {leaky}: 1 means findings)\n")
    print("And this repository, which must be clean:\n\n$ keyward scan", flush=True)
    own = subprocess.run([command, "scan", "--color", "always" if sys.stdout.isatty() else "auto"]).returncode
    print(f"\n(exit code {own}: 0 means clean)")
    return 0 if (leaky, own) == (1, 0) else 1


if __name__ == "__main__":
    sys.exit(main())
