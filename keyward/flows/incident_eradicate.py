"""How the replacing stands in a case: what `eradicate` noted, and what the rotations' journals have said since.

A rotation that waits for a person is ended by other commands (`provide`, `resume`), which know nothing of a case. So each step after it
first takes over from the journals what came to its end meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable

from keyward.flows.incident_case import PARTLY, WHOLE, Case, told
from keyward.flows.workplace import Workplace
from keyward.model.incident import DONE, ERADICATE, UNCERTAIN, CredentialState, Proof
from keyward.rotate.ledger import Standing, State, standings

PROOFS = {"dead": "proved", "by consumer": "proved by consumer", "attested": "attested"}

WAITS = "waits for a person"

REPLACE = "rotate:"
"""What the ids of the notes begin with, before the credential's name."""


def since_opened(place: Workplace, case: Case) -> dict[str, Standing]:
    """The newest rotation of each credential since the case was opened."""
    return {each.ref: each for each in standings(place.state, place.clock) if each.begun >= case.info.opened and each.ref}


def credential_state(kind: str, ref: str, leaked: bool, stands: Standing | None) -> CredentialState:
    """How a credential stands, from its newest rotation since the case was opened."""
    if stands is None:
        return CredentialState(ref, kind, leaked)
    words = {
        State.DONE: PROOFS.get(stands.proof, stands.proof or "done"),
        State.WAITING: WAITS,
        State.ABORTED: "taken back",
        State.NOTHING: "",
        State.DAMAGED: "stopped",
    }
    state = words.get(stands.state, "unfinished")
    withheld = f"withheld from {', '.join(stands.withheld)}" if stands.withheld else ""
    return CredentialState(ref, kind, leaked, state, stands.step, stands.touched, withheld)


def eradicated(place: Workplace, case: Case, code: int, refs: Iterable[str]) -> tuple[str, ...]:
    """Notes how the rotations ended; answers with what is left."""
    since = since_opened(place, case)
    left = []
    for ref in refs:
        stands = since.get(ref)
        good = stands is not None and stands.state is State.DONE
        detail = _detail(ref, stands)
        _end(case, ref, stands, detail)
        if not good:
            left.append(f"{ref}: {detail}")
    if code and not left:
        left.append(f"rotate ended with exit code {code}")
    case.phase(ERADICATE, PARTLY if left else WHOLE, left)
    return tuple(left)


def caught_up(place: Workplace, case: Case) -> None:
    """Notes the rotations that came to their end since: a person gave the new one, or said that the old one is dead."""
    before = told(case)
    step = next(each for each in before.steps if each.name == ERADICATE)
    if case.info.closed or not step.started or step.ended:
        return
    outcomes = {
        id.removeprefix(REPLACE): str(said["outcome"]) for id, said in before.finished.items() if id.startswith(REPLACE)
    }
    outcomes |= {id.removeprefix(REPLACE): UNCERTAIN for id in before.unfinished if id.startswith(REPLACE)}
    waited = {action.target for action in before.actions if action.phase == ERADICATE and action.detail.startswith(WAITS)}
    since = since_opened(place, case)
    news = [ref for ref, outcome in outcomes.items() if outcome != DONE and ref in since and since[ref].state is State.DONE]
    for ref in news:
        _end(case, ref, since[ref], _detail(ref, since[ref]) + (", after a person did their part" if ref in waited else ""))
    if news:
        left = [
            f"{ref}: {_detail(ref, since.get(ref))}" for ref, outcome in outcomes.items() if outcome != DONE and ref not in news
        ]
        case.phase(ERADICATE, PARTLY if left else WHOLE, left)


def _detail(ref: str, stands: Standing | None) -> str:
    if stands is None:
        return "not begun"
    state = credential_state("", ref, True, stands).state
    return state if stands.state is State.DONE else f"{state} at {stands.step}"


def _end(case: Case, ref: str, stands: Standing | None, detail: str) -> None:
    good = stands is not None and stands.state is State.DONE
    proofs = (Proof("rotation", detail=stands.rotation),) if stands else ()
    case.end(ERADICATE, f"{REPLACE}{ref}", "replace", DONE if good else UNCERTAIN, target=ref, detail=detail, proofs=proofs)
