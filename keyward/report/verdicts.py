"""A provider's verdict in words."""

from __future__ import annotations

from keyward.model.verdict import Dead, Live, Restricted, Unknown, Verdict

_COLORS = {Live: "1;97;41", Restricted: "1;33", Dead: "32", Unknown: "36"}


def words_of(verdict: Verdict) -> tuple[str, str]:
    """The state in one word, and what is known beside it. Not escaped."""
    if isinstance(verdict, Unknown):
        return "UNKNOWN", verdict.reason
    asked = f"{verdict.evidence.host} said {verdict.evidence.status}" if verdict.evidence.host else verdict.evidence.probe
    if isinstance(verdict, Live):
        may = f"may {', '.join(verdict.scopes)}" if verdict.scopes else ""
        return "LIVE", "; ".join(filter(None, (verdict.principal, may, asked)))
    if isinstance(verdict, Restricted):
        return "RESTRICTED", "; ".join(filter(None, ("it authenticates", verdict.reason, asked)))
    return "DEAD", asked


def color_of(verdict: Verdict) -> str:
    """The terminal's codes for it."""
    return _COLORS[type(verdict)]


def state_of(verdict: Verdict | None) -> str:
    """`live`, `restricted`, `dead`, `unknown`; empty if nobody asked."""
    return "" if verdict is None else words_of(verdict)[0].lower()
