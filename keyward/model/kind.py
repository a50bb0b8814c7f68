"""What kinds of credential there are. Stdlib only, no I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, NewType

Kind = NewType("Kind", str)
"""`provider/what`, for instance `github/pat-classic`. A detector declares it, a rotator names it, the registry joins them."""

Parts = Mapping[str, bytes]
"""The plain values of one credential by part name. Lives only inside the process that read them."""

SEVERITIES = ("critical", "high", "medium", "low")
"""How bad a leak of such a credential is, worst first."""


class Manual(NamedTuple):
    """How a person replaces the credential where no rotator can: short steps in order, and where to go."""

    steps: tuple[str, ...]
    url: str


class CredentialKind(NamedTuple):
    """One kind of credential: what it is called, which parts it has, and how it is replaced.

    `identity`: part names, best first; the first one present is what the fingerprint is made of (for AWS the secret).
    `public`: part names, best first, that may be shown (a key id, a user name). Never a part that authenticates by itself.
    `describe`: offline facts that may be shown, from the parts (AWS account number, JWT issuer and expiry). It must not
    return anything secret; whatever it raises is ignored.
    `canonical`: brings the identity part to one form before it is fingerprinted (a PEM key without line ends).
    `manual`: what a person does where no rotator can. `found`: whether some rule finds it; false for a kind that only the
    operator's configuration can name (a deploy key looks like any private key). `rotates`: whether a rotator of keyward replaces or revokes it;
    said here as well, so that a report can tell without loading any (a test holds the two together).
    """

    name: Kind
    title: str
    severity: str = "high"
    identity: tuple[str, ...] = ("secret",)
    public: tuple[str, ...] = ()
    describe: Callable[[Parts], Mapping[str, str]] | None = None
    canonical: Callable[[bytes], bytes] | None = None
    manual: Manual | None = None
    references: tuple[str, ...] = ()
    found: bool = True
    rotates: bool = False
