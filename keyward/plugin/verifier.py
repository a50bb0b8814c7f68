"""How a detector asks the provider whether a credential lives. Imported by detectors, so it costs nothing to import.

A detector that verifies has, besides KINDS and RULES:

HOSTS: tuple[str, ...]              the provider's public hosts that `verify` may ask (`Hosts.public`)
VERIFIES: tuple[Kind, ...]          the kinds that it can ask about
verify(credential, target, ports)   one cheap reading request, and its verdict
CASES: tuple[Case, ...]             answers of the provider, and the verdict each must give

`verify` must not change anything at the provider and sends the credential to its issuer alone. Whatever it raises becomes
`Unknown` in the host. Dead is said only of an answer that means "this credential is not valid", never of a refusal that may
have another cause (an address, a scope, a plan: Restricted) and never of silence (Unknown).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from keyward.model.verdict import Dead, Evidence, Live, Restricted, Unknown, Verdict

if TYPE_CHECKING:
    from keyward.model.credential import Credential, Target
    from keyward.model.kind import Kind
    from keyward.plugin.ports import Hosts, Http, Ports, Reply

    Verify = Callable[[Credential, Target, Ports], Verdict]

__all__ = [
    "Answer",
    "Case",
    "Dead",
    "Evidence",
    "Live",
    "Restricted",
    "Unknown",
    "Verdict",
    "Verifier",
    "ask",
    "evidence",
    "hosts_for",
]

NO_HEADERS: Mapping[str, str] = {}


class Answer(NamedTuple):
    """One HTTP answer of a case. `body`: JSON text or whatever the provider sends."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = NO_HEADERS


class Case(NamedTuple):
    """What the provider answers, and which verdict that must give: `live`, `restricted`, `dead` or `unknown`.

    `answers`: in the order of the requests; the last one is repeated. `parts`: further parts that the verdict needs and a
    sample does not have.
    """

    name: str
    kind: Kind
    answers: tuple[Answer, ...]
    verdict: str
    parts: Mapping[str, str] = NO_HEADERS


class Verifier(NamedTuple):
    """A detector's verifier, and the public hosts that it may ask."""

    hosts: tuple[str, ...]
    verify: Verify


def hosts_for(verifier: Verifier, target: Target) -> Hosts:
    """Where it may go for one target: the provider's own hosts, and what the operator configured."""
    from keyward.plugin.ports import Hosts

    hosts = Hosts(verifier.hosts).with_url(target.base_url)
    return hosts.with_address(target.host, target.port) if target.host and target.port else hosts


def ask(verifier: Verifier, credential: Credential, target: Target, ports: Ports) -> Verdict:
    """Its verdict; whatever it raises becomes Unknown with a reason that holds no value."""
    from keyward.errors import KeywardError, Throttled

    try:
        verdict = verifier.verify(credential, target, ports)
    except Throttled as error:
        return Unknown(str(error), error.retry_after)
    except KeywardError as error:
        return Unknown(error.told)
    except Exception as error:  # a pack is somebody's code, and its text may quote the value
        return Unknown(f"the verifier failed ({type(error).__name__})")
    if isinstance(verdict, (Live, Restricted, Dead, Unknown)):
        return verdict
    return Unknown("the verifier gave no verdict")


def evidence(probe: str, http: Http, reply: Reply, ports: Ports, public_id: str = "") -> Evidence:
    """Evidence of one HTTP answer: never the body, only its digest."""
    return Evidence(probe, http.host, str(reply.status), ports.clock.now(), public_id, reply.digest)
