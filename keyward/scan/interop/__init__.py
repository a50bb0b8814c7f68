"""What other scanners left in a repository, and what they are told to look for.

`baselines` reads what a project keeps (`.secrets.baseline`, `.gitleaksignore`); `gitleaks` and `betterleaks` translate their rule
files, `detect_secrets` runs the plugins of that tool. The last three are used only where the operator names a file: none of
them is ever taken from a scanned tree.
"""

from __future__ import annotations

from keyward.scan.interop.baselines import DETECT_SECRETS, GITLEAKS, DetectSecretsBaseline, GitleaksIgnore, value_hashes

__all__ = ["DETECT_SECRETS", "GITLEAKS", "DetectSecretsBaseline", "GitleaksIgnore", "value_hashes"]
