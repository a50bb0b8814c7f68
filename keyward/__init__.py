"""keyward finds leaked credentials, and helps to replace them.

    from keyward import ScanOptions, run_scan

    outcome = run_scan(ScanOptions(paths=("src",)))
    for finding in outcome.findings:
        print(finding.kind, finding.masked, finding.occurrences[0].locator.path)

The names in `__all__` are the public ones; everything else may change between versions. They are imported on first use,
because the commit hook must not pay for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keyward.flows.scan import ScanOptions
    from keyward.flows.scan import scan as run_scan
    from keyward.model.finding import Finding, Occurrence, Outcome
    from keyward.model.secret import Secret

__version__ = "0.1.0"

__all__ = ["Finding", "Occurrence", "Outcome", "ScanOptions", "Secret", "__version__", "run_scan"]

_HOMES = {
    "Finding": ("keyward.model.finding", "Finding"),
    "Occurrence": ("keyward.model.finding", "Occurrence"),
    "Outcome": ("keyward.model.finding", "Outcome"),
    "ScanOptions": ("keyward.flows.scan", "ScanOptions"),
    "Secret": ("keyward.model.secret", "Secret"),
    "run_scan": ("keyward.flows.scan", "scan"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'keyward' has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)
