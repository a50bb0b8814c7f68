"""What a vendor's JSON answer says went wrong, for verifiers. Nothing of it is shown but a code of known form."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keyward.plugin.ports import Reply

_CODE = re.compile(r"[a-z0-9_]{2,60}")


def error_of(reply: Reply) -> tuple[str, str]:
    """(code, message) of `{"error": {"code" or "type", "message"}}`; empty for an answer of another form. The message may
    quote the credential: it may be looked at, never shown."""
    try:
        error = json.loads(reply.body).get("error")
    except (ValueError, RecursionError, AttributeError):
        return "", ""
    if not isinstance(error, Mapping):
        return "", ""
    code = next((str(error[name]) for name in ("code", "type") if isinstance(error.get(name), (str, int))), "")
    return (code if _CODE.fullmatch(code) else ""), str(error.get("message") or "")
