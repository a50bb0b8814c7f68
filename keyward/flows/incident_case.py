"""The folder of a case: append-only notes that are chained like the audit log, evidence, reports, and what is known so far.

    STATE/incidents/NAME/       mode 0700
        case.json               what it is called, when and by whom it was opened
        notes.jsonl             every action and note, chained (see `keyward.rotate.audit`)
        assess-001.jsonl        a scan's report; assess-001.json: what was made of it
        evidence/               encrypted copies, firewall rules as they were
        report.html, .md, .json

The chain's key is made from the audit log's, which the default store keeps, so that whoever has only the folder cannot rewrite the
notes; their head is mirrored in that store. Where the store does not answer, an emergency goes on with a key in the folder: the
notes say so, and prove nothing against somebody who can write there.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from keyward.errors import ConfigError, KeywardError, UsageError
from keyward.flows.workplace import Workplace
from keyward.formats.textfile import read_text
from keyward.match.paths import write_private
from keyward.model.incident import DONE, PHASES, UNCERTAIN, Action, Note, Proof, Step
from keyward.model.secret import Secret
from keyward.rotate.audit import AuditLog, Event, Record, audit_key
from keyward.rotate.audit_mirror import StoreMirror
from keyward.rotate.audit_verify import Verified
from keyward.rotate.audit_verify import read as read_records
from keyward.rotate.audit_verify import verify as verify_log
from keyward.rotate.who import current

VERSION = 1
FOLDER, CASE, NOTES, CURRENT, EVIDENCE = "incidents", "case.json", "notes.jsonl", "current.json", "evidence"
STORE, IN_FOLDER = "store", "folder"
"""Where the chain's key comes from."""
CHAIN_KEY = "chain.key"

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,47}")

BEGIN, END, NOTE, PHASE = "begin", "end", "note", "phase"
STARTED, WHOLE, PARTLY = "started", "whole", "partly"


class CaseInfo(NamedTuple):
    """What `case.json` holds. `key`: STORE or IN_FOLDER. `prepared`: time of the host's record that held when it was opened."""

    name: str
    opened: float
    host: str
    actor: str
    reason: str = ""
    key: str = STORE
    prepared: float = 0.0
    retain_until: float = 0.0
    closed: float = 0.0


class Current(NamedTuple):
    """The open incident."""

    name: str
    folder: str


def open_incident(state: str) -> Current | None:
    """The incident that is open on this host, if any: while it is, `rotate` stops keys before it replaces them."""
    try:
        with open(os.path.join(state, FOLDER, CURRENT), "rb") as file:
            found = json.load(file)
        return Current(str(found["name"]), str(found["folder"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


class Case:
    """One case, open for notes. Use it as a context manager: leaving mirrors the head of the notes."""

    def __init__(self, place: Workplace, folder: str, info: CaseInfo, key: Secret) -> None:
        self.place, self.folder, self.info = place, folder, info
        self._key = key
        mirror = StoreMirror(_default_store(place), f"audit/case/{info.name}") if info.key == STORE else None
        self._mirror = mirror
        self._log = AuditLog(os.path.join(folder, NOTES), key, clock=place.clock, mirror=mirror)

    def __enter__(self) -> Case:
        return self

    def __exit__(self, *_: object) -> None:
        self._log.close()

    @property
    def evidence(self) -> str:
        """The folder of what backs the notes."""
        return os.path.join(self.folder, EVIDENCE)

    def relative(self, path: str) -> str:
        return os.path.relpath(path, self.folder)

    # Writing

    def note(self, text: str) -> None:
        """What a person says."""
        self._write(Event("note", detail=text, evidence=({"type": NOTE},)))

    def begin(self, phase: str, id: str, what: str, target: str = "", detail: str = "") -> None:
        """Before something is done: so that a crash in it is seen."""
        self._write(Event(f"{phase}: {what}", target, id, detail, evidence=({"type": BEGIN, "phase": phase, "what": what},)))

    def end(
        self,
        phase: str,
        id: str,
        what: str,
        outcome: str = DONE,
        *,
        target: str = "",
        detail: str = "",
        proofs: Iterable[Proof] = (),
        data: Mapping[str, Any] | None = None,
    ) -> None:
        """What came of it. `data`: what a later run needs to know."""
        said = {"type": END, "phase": phase, "what": what, "outcome": outcome, "data": dict(data or {})}
        proved = [{"proof": each._asdict()} for each in proofs]
        self._write(Event(f"{phase}: {what} {outcome}", target, id, detail, evidence=(said, *proved)))

    def phase(self, phase: str, state: str, left: Iterable[str] = ()) -> None:
        """How a phase stands: STARTED, WHOLE or PARTLY."""
        self._write(Event(f"{phase}: {state}", evidence=({"type": PHASE, "phase": phase, "state": state, "left": list(left)},)))

    def _write(self, event: Event) -> None:
        self._log.append_all((event,))

    def told(self, what: str, detail: str = "") -> str:
        """Also tells the host's audit log, which may be out of reach in an emergency; answers with why it was not (empty: it was)."""
        try:
            self.place.audit.append(f"incident: {what}", detail=f"{self.info.name}: {detail}".rstrip(": "))
        except KeywardError as error:
            return f"the audit log has no entry of this: {error}"
        return ""

    def save(self, name: str, value: object) -> Proof:
        """A JSON file in the case, written anew."""
        return self.save_text(name, json.dumps(value, indent=1, sort_keys=True) + "\n")

    def save_text(self, name: str, text: str) -> Proof:
        """A file in the case, written anew. Raises ConfigError where that cannot be."""
        data = text.encode("utf-8", "surrogateescape")
        path = os.path.join(self.folder, name)
        if not write_private(path, data):
            raise ConfigError("cannot be written", path=path, hint="Make room, or put the case elsewhere: --folder FOLDER.")
        return Proof(os.path.basename(name), name, hashlib.sha256(data).hexdigest(), len(data))

    def close(self) -> None:
        """The incident is over: later rotations are planned ones again."""
        _write_info(self.folder, self.info._replace(closed=self.place.clock.now()))
        now = open_incident(self.place.state)
        if now is not None and os.path.realpath(now.folder) == os.path.realpath(self.folder):
            os.unlink(os.path.join(self.place.state, FOLDER, CURRENT))

    # Reading

    def load(self, name: str) -> Any:
        """A JSON file of the case; None if it is not there or none."""
        try:
            text = read_text(os.path.join(self.folder, name), limit=256 << 20)
            return json.loads(text) if text is not None else None
        except (ConfigError, ValueError, RecursionError):
            return None

    def numbered(self, stem: str) -> list[str]:
        """`stem-001.json`, `stem-002.json`, … that there are, in order."""
        form = re.compile(re.escape(stem) + r"-\d{3,}\.json")
        return sorted(name for name in os.listdir(self.folder) if form.fullmatch(name))

    def next_number(self, stem: str) -> str:
        """The name, without its ending, of the next one."""
        return f"{stem}-{len(self.numbered(stem)) + 1:03d}"

    def records(self) -> list[Record]:
        """All genuine entries, oldest first."""
        return list(read_records(os.path.join(self.folder, NOTES), self._key))

    def verify(self) -> Verified:
        """Whether the notes are as they were written, against the head in the store."""
        try:
            head = self._mirror.get() if self._mirror is not None else None
        except KeywardError:
            head = None
        return verify_log(os.path.join(self.folder, NOTES), self._key, head)


class Told(NamedTuple):
    """What the notes tell. `finished`: the newest end by id; `unfinished`: ids that were begun and have no end after it."""

    actions: tuple[Action, ...]
    notes: tuple[Note, ...]
    steps: tuple[Step, ...]
    finished: Mapping[str, Mapping[str, Any]]
    unfinished: tuple[str, ...]


def told(case: Case) -> Told:
    """What the notes tell."""
    actions: dict[str, list[Action]] = {}
    ordered: list[Action] = []
    notes: list[Note] = []
    phases: dict[str, Step] = {}
    finished: dict[str, Mapping[str, Any]] = {}
    open_ids: dict[str, Action] = {}
    for record in case.records():
        said = next((each for each in record["evidence"] if isinstance(each, dict) and "type" in each), {})
        actor = f"{record['who']['user']}@{record['who']['host']}"
        time, id = float(record["time"]), str(record["rotation"])
        if said.get("type") == NOTE:
            notes.append(Note(time, actor, str(record["detail"])))
        elif said.get("type") == PHASE:
            phases[said["phase"]] = _phase(phases.get(said["phase"], Step(said["phase"])), said, time)
        elif said.get("type") == BEGIN:
            begun = Action(time, said["phase"], said["what"], actor, UNCERTAIN, record["ref"], record["detail"])
            if id in open_ids:  # begun again, and the first never ended
                ordered.append(open_ids[id])
            open_ids[id] = begun
        elif said.get("type") == END:
            start = open_ids.pop(id, None)
            proofs = tuple(Proof(**each["proof"]) for each in record["evidence"] if "proof" in each)
            begun_at = start.time if start is not None else time
            outcome = str(said["outcome"])
            detail = str(record["detail"])
            ordered.append(Action(begun_at, said["phase"], said["what"], actor, outcome, record["ref"], detail, time, proofs))
            actions.setdefault(id, []).append(ordered[-1])
            finished[id] = said
    ordered += open_ids.values()
    steps = tuple(phases.get(name, Step(name)) for name in PHASES)
    return Told(tuple(sorted(ordered, key=lambda a: a.time)), tuple(notes), steps, finished, tuple(open_ids))


def _phase(step: Step, said: Mapping[str, Any], time: float) -> Step:
    if said["state"] == STARTED:
        return step._replace(started=step.started or time, ended=0.0)
    left = tuple(str(each) for each in said.get("left", ()))
    return step._replace(started=step.started or time, ended=time if said["state"] == WHOLE else 0.0, left=left)


def open_case(
    place: Workplace, name: str, *, folder: str = "", reason: str = "", prepared: float = 0.0, retention: float = 0.0
) -> tuple[Case, bool]:
    """The case of this name, made if it is not there; and whether it was made. It is the open incident from now on.

    Raises UsageError for a name that is none, or while another incident is open; ConfigError where it cannot be written.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            "the name is not of the form `my-name`", hint="Use a-z, 0-9, dot, dash and underscore, up to 48 of them."
        )
    there = open_incident(place.state)
    where = os.path.abspath(folder) if folder else os.path.join(place.state, FOLDER, name)
    if there is not None and (there.name != name or os.path.realpath(there.folder) != os.path.realpath(where)):
        raise UsageError(f"incident {there.name} is open", hint="Close it first (keyward incident close), or go on with it.")
    if os.path.lexists(os.path.join(where, CASE)):
        case = load_case(place, folder=where)
        if case.info.name != name:
            raise UsageError(f"{where} holds the case {case.info.name}", hint="Name another folder.")
        if case.info.closed:
            case.info = case.info._replace(closed=0.0)
            _write_info(where, case.info)
        _set_current(place, name, where)
        return case, False
    if folder and os.path.isdir(where) and os.listdir(where):
        raise UsageError(f"{where} is not empty", hint="Name a new folder.")
    made = _make(place, name, where, reason, prepared, retention)
    _set_current(place, name, where)
    return made, True


def _make(place: Workplace, name: str, folder: str, reason: str, prepared: float, retention: float) -> Case:
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        os.chmod(folder, 0o700)
        os.makedirs(os.path.join(folder, EVIDENCE), mode=0o700, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"cannot be made: {(error.strerror or '').lower()}", path=folder, hint="Name another --folder."
        ) from None
    who = current()
    now = place.clock.now()
    where, key = STORE, None
    try:
        key = _derived(place, name)
    except KeywardError:
        where = IN_FOLDER
        key = Secret(os.urandom(32))
        write_private(os.path.join(folder, CHAIN_KEY), key.reveal().hex().encode())
    info = CaseInfo(name, now, who.host, f"{who.user}@{who.host}", reason, where, prepared, now + retention)
    _write_info(folder, info)
    return Case(place, folder, info, key)


def load_case(place: Workplace, *, name: str = "", folder: str = "") -> Case:
    """The case in a folder, of a name, or the open one. Raises UsageError where there is none, StoreError where its key is out of reach."""
    if not folder:
        there = open_incident(place.state)
        if name and (there is None or there.name != name):
            folder = os.path.join(place.state, FOLDER, name)
        elif there is None:
            raise UsageError("no incident is open", hint="Open one: keyward incident open NAME")
        else:
            folder = there.folder
    text = read_text(os.path.join(folder, CASE), limit=1 << 20) if os.path.isdir(folder) else None
    if text is None:
        raise UsageError(f"there is no case in {folder}", hint="See the cases with: keyward incident status")
    info = _info(text, folder)
    if info.key == STORE:
        return Case(place, folder, info, _derived(place, info.name))
    held = read_text(os.path.join(folder, CHAIN_KEY), limit=200) or ""
    try:
        return Case(place, folder, info, Secret(bytes.fromhex(held.strip())))
    except ValueError:
        raise ConfigError("the key of the notes is damaged", path=os.path.join(folder, CHAIN_KEY)) from None


def cases(state: str) -> list[CaseInfo]:
    """The cases in the state folder, oldest first."""
    top = os.path.join(state, FOLDER)
    found = []
    for name in sorted(os.listdir(top)) if os.path.isdir(top) else ():
        try:
            text = read_text(os.path.join(top, name, CASE), limit=1 << 20)
            if text is not None:
                found.append(_info(text, os.path.join(top, name)))
        except ConfigError:
            continue
    return sorted(found, key=lambda info: info.opened)


def _info(text: str, folder: str) -> CaseInfo:
    try:
        held = json.loads(text)
        return CaseInfo(**{name: held[name] for name in CaseInfo._fields if name in held})
    except (ValueError, TypeError, AttributeError):
        raise ConfigError(
            "is no case", path=os.path.join(folder, CASE), hint="It was damaged; its notes may be whole."
        ) from None


def _write_info(folder: str, info: CaseInfo) -> None:
    path = os.path.join(folder, CASE)
    if not write_private(path, json.dumps({"v": VERSION, **info._asdict()}, indent=1).encode() + b"\n"):
        raise ConfigError("cannot be written", path=path, hint="Make room, or put the case elsewhere: --folder FOLDER.")


def _set_current(place: Workplace, name: str, folder: str) -> None:
    path = os.path.join(place.state, FOLDER, CURRENT)
    if not write_private(path, json.dumps({"name": name, "folder": folder}).encode() + b"\n"):
        raise ConfigError("cannot be written", path=path, hint="Make room in keyward's state folder.")


def _default_store(place: Workplace) -> Any:
    return place.store(place.operator.default_store)


def _derived(place: Workplace, name: str) -> Secret:
    """The case's own key: entries of another log, moved here, are not taken for its own."""
    key = audit_key(_default_store(place)).reveal()
    return Secret(hmac.new(key, b"keyward case\n" + name.encode(), hashlib.sha256).digest())
