"""What goes wrong between a rotation's steps: people, other processes, configurations, clocks and lying parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from engine_desk import PATH, Box, Desk, Make, StopAt
from toy_provider import KIND, ToyChosen, ToyRotator

from keyward.errors import ConsumerError, Halted, HostRefused, KeywardError, Refused, StoreUnavailable, Throttled
from keyward.model.credential import SecretParts
from keyward.model.kind import CredentialKind, Manual
from keyward.model.lane import ConsumerSpec
from keyward.model.rotation import INCIDENT, Aborted, Attested, Outcome, Proved, Stopped, WaitingHuman
from keyward.model.secret import Secret
from keyward.plugin.clock import ManualClock, SystemClock
from keyward.plugin.consumer import Values
from keyward.plugin.ports import Call, Hosts, Http, Ports
from keyward.plugin.rotator import Capabilities, Inventory, Issued, Job
from keyward.plugin.store import Slot
from keyward.rotate.abort import abort
from keyward.rotate.by_hand import ByHand
from keyward.rotate.gates import AccountGate
from keyward.rotate.journal import FILE, Journal
from keyward.rotate.ledger import State, standing, standings
from keyward.rotate.parties import Options, found_consumers
from keyward.rotate.schedule import Task, run_all
from keyward.stores.memory import MemoryStore
from keyward.testing.fakes.server import FakeProvider, Fault, Request, Response

# taking back


def test_a_half_taken_back_rotation_can_only_be_taken_back(desk: Make) -> None:
    at = desk()
    box = at.box()
    stop = StopAt("journal DRAIN intent")
    at.fences = (stop,)
    assert isinstance(at.run(), Stopped)
    stop.what = "DELETE"  # now the abort is interrupted, when consumers have the old one again
    assert isinstance(abort(at.rotation()), Stopped)
    stop.armed = False
    outcome = at.run()
    assert isinstance(outcome, Stopped) and "taken back" in outcome.reason and "abort" in outcome.hint
    assert at.world.works(at.world.old) and box.held == dict(at.world.old)
    assert isinstance(abort(at.rotation()), Aborted)
    assert at.world.working() == 1 and at.world.works(at.world.old) and dict(at.current()) == dict(at.world.old)
    assert isinstance(abort(at.rotation()), Aborted), "twice is the same as once"
    assert isinstance(at.run(), Stopped), "and it is over"


class _Unlisted(ToyRotator):
    """What it made is not in the list when somebody looks."""

    capabilities = Capabilities(settle=5, propagation=5, lists=False)

    def identify(self, job: Job, parts: SecretParts) -> str:
        return parts["id"].reveal().decode()

    def inventory(self, job: Job) -> Inventory:
        return Inventory("lane", ())


def test_an_interrupted_abort_still_knows_what_it_must_kill(desk: Make) -> None:
    at = desk(_Unlisted())
    at.box()
    stop = StopAt("journal DRAIN intent")
    at.fences = (stop,)
    assert isinstance(at.run(), Stopped)
    stop.what = "DELETE"
    assert isinstance(abort(at.rotation()), Stopped)
    stop.armed = False
    assert isinstance(abort(at.rotation()), Aborted)
    assert at.world.working() == 1, "the new one lives on, and nobody has its value"


def test_the_first_one_that_is_taken_back_leaves_nothing_in_the_store(desk: Make) -> None:
    at = desk()
    at.store.erase(PATH, Slot.CURRENT, expected=1)
    stop = StopAt("journal DISTRIBUTE intent")
    at.fences = (stop,)
    at.box().held = {}
    assert isinstance(at.run(), Stopped)
    stop.armed = False
    outcome = abort(at.rotation())
    assert isinstance(outcome, Aborted) and "there is none, as before" in outcome.detail
    assert at.current() == {}, "the store's value was revoked"
    at.begin_anew()
    assert not isinstance(at.run(), Stopped)


def test_the_first_one_is_not_taken_from_those_who_have_it(desk: Make) -> None:
    at = desk()
    at.store.erase(PATH, Slot.CURRENT, expected=1)
    box = at.box()
    box.held = {}
    stop = StopAt("journal DONE seen")
    at.fences = (stop,)
    assert isinstance(at.run(), Stopped)
    outcome = abort(at.rotation())
    assert isinstance(outcome, Stopped) and "no old one" in outcome.reason
    assert at.world.works(box.held)


def test_a_refused_change_in_place_can_be_taken_back(desk: Make) -> None:
    """Nothing was applied, and the right that is missing may never come."""
    at = desk(ToyChosen(), lane_owned=True)
    at.box()
    at.world.toy.fail(Fault("403", method="PUT", times=9))
    assert isinstance(at.run(), Stopped)
    assert isinstance(abort(at.rotation()), Aborted)
    assert at.world.works(at.world.old) and dict(at.current()) == dict(at.world.old)


def test_an_applied_change_in_place_cannot_be_taken_back(desk: Make) -> None:
    at = desk(ToyChosen(), lane_owned=True)
    at.fences = (StopAt("journal ISSUE seen"),)
    assert isinstance(at.run(), Stopped)
    outcome = abort(at.rotation())
    assert isinstance(outcome, Stopped) and "forward" in outcome.reason


def test_a_rotator_that_raises_anything_does_not_break_out_of_an_abort(desk: Make) -> None:
    at = desk()
    stop = StopAt("journal DRAIN intent")
    at.fences = (stop,)
    at.run()
    secret = at.world.old["secret"].reveal().decode()
    stop.what, stop.error = "DELETE", ValueError(secret)
    outcome = abort(at.rotation())
    assert isinstance(outcome, Stopped) and secret not in repr(outcome)


# consumers


def test_two_consumers_of_one_name_both_get_it(desk: Make) -> None:
    at = desk()
    boxes = [at.box("the same"), at.box("the same")]
    assert isinstance(at.run(), Proved)
    assert all(box.held == dict(at.current()) for box in boxes)


def test_consumers_that_a_scan_found_are_remembered(desk: Make) -> None:
    at = desk()
    at.fences = (StopAt("journal ISSUE intent"),)
    found = ConsumerSpec("dotenv", {"path": "bot.env", "set": {"KEY": "{secret}"}}, "host", (), ("true",))
    at.rotation(found=(found,)).run()
    assert found_consumers(Journal.open_(at.journal_folder, at.clock)) == (found,)


def test_a_compromised_host_stays_one_when_the_beginning_failed(desk: Make) -> None:
    at = desk()
    box = at.box(host="bad")
    stop = StopAt("journal PLAN seen")
    at.fences = (stop,)
    at.run(Options(mode=INCIDENT, withheld_hosts=frozenset({"bad"})))
    stop.armed = False
    outcome = at.run(Options(quarantine=False))  # as `resume` does
    assert isinstance(outcome, Proved) and [each.reason for each in outcome.withheld] == ["bad"]
    assert box.held == dict(at.world.old)


def test_a_host_that_is_found_compromised_later_gets_nothing(desk: Make) -> None:
    at = desk()
    box = at.box(host="bad")
    stop = StopAt("journal PROMOTE intent")
    at.fences = (stop,)
    at.run()
    stop.armed = False
    assert isinstance(at.run(Options(withheld_hosts=frozenset({"bad"}))), Proved)
    assert box.held == dict(at.world.old)


def test_no_text_of_a_consumer_shows_a_value(desk: Make) -> None:
    at = desk()
    box = at.box()
    values: list[str] = []

    class Chatty(Box):
        def apply(self, values_: Values) -> str:
            values.append(values_.new["secret"].reveal().decode())
            self.held = dict(values_.new)
            return f"wrote {values[-1]}"

    chatty = Chatty("c", at.world.old)
    at.boxes[0] = (at.boxes[0][0], chatty)
    assert isinstance(at.run(), Proved) and box.held
    assert values and values[0] not in at.journal_text() and "(withheld)" in at.journal_text()


def test_no_error_of_a_consumer_shows_a_value(desk: Make) -> None:
    at = desk()
    old = at.world.old["secret"].reveal().decode()
    at.box(fails=ConsumerError(f"cannot replace {old}", hint=f"see {old}"))
    told: list[str] = []
    outcome = at.rotation(tell=lambda ref, step, detail: told.append(detail)).run()
    assert isinstance(outcome, Stopped) and "cannot replace" in outcome.reason
    assert old not in repr(outcome) and not any(old in text for text in told)


# the store


def test_a_value_that_somebody_replaced_in_the_store_is_no_reason_for_a_second_one(desk: Make) -> None:
    """Consumers have the first one: making another would revoke it under them."""
    at = desk()
    box = at.box()
    stop = StopAt("journal DRAIN intent")
    at.fences = (stop,)
    at.run()
    stop.armed = False
    held = at.store.read(PATH, Slot.CURRENT)
    assert held is not None
    at.store.write(PATH, Slot.CURRENT, {"id": Secret(b"x"), "secret": Secret(b"somebody's")}, {}, expected=held.version)
    for outcome in (at.run(), abort(at.rotation())):
        assert isinstance(outcome, Stopped) and "replaced" in outcome.reason
    assert at.world.works(box.held) and at.world.works(at.world.old)


class _LostWrites(MemoryStore):
    """Its writes are done, and the answers are lost. `armed`: from when on."""

    armed = False

    def write(self, path: str, slot: Slot, parts: SecretParts, labels: Any, *, expected: int) -> int:
        version = super().write(path, slot, parts, labels, expected=expected)
        if self.armed and labels.get("state") == "issued":
            raise StoreUnavailable("the answer was lost")
        return version

    def read(self, path: str, slot: Slot) -> Any:
        if self.armed and slot is Slot.PENDING and (held := super().read(path, slot)) and held.labels["state"] == "issued":
            raise StoreUnavailable("not answering")
        return super().read(path, slot)


def test_what_was_revoked_because_it_could_not_be_stored_is_not_gone_on_with(desk: Make) -> None:
    at = desk()
    store = _LostWrites()
    store.write(PATH, Slot.CURRENT, at.world.old, {}, expected=0)
    at.store = store
    store.armed = True
    assert isinstance(at.run(), Stopped) and at.world.working() == 1
    store.armed = False
    assert store.read(PATH, Slot.PENDING).labels["state"] == "issued", "the write had been done"
    assert isinstance(at.run(), Proved) and at.world.works(at.current()) and at.world.working() == 1


# people


class _Manual(ByHand):
    def __init__(self) -> None:
        super().__init__(CredentialKind(KIND, "toy", manual=Manual(("Make one.",), "")))


def _made_by_hand(at: Desk) -> SecretParts:
    id, value = at.world.toy.mint("lane", "by hand")
    return {"id": Secret(id.encode()), "secret": Secret(value.encode())}


def test_a_second_value_is_not_taken_when_the_first_is_in_use(desk: Make) -> None:
    at = desk()
    at.rotator = _Manual()
    box = at.box()
    assert isinstance(at.run(), WaitingHuman)
    first = _made_by_hand(at)
    at.rotation().provide(first)
    assert isinstance(at.run(), WaitingHuman), "the old one is alive"
    with pytest.raises(Refused, match="already"):
        at.rotation().provide(_made_by_hand(at))
    assert box.held == dict(first) == dict(at.current())
    with pytest.raises(Refused):
        at.rotation().provide(at.world.old)


def test_a_provided_value_does_not_wait_any_more_after_a_kill(desk: Make) -> None:
    at = desk()
    at.rotator = _Manual()
    at.run()
    stop = StopAt("journal ISSUE seen")
    at.fences = (stop,)
    with pytest.raises(KeywardError):
        at.rotation().provide(_made_by_hand(at))
    stop.what = "journal PROVE seen"
    assert isinstance(at.run(), Stopped)
    assert standing(Journal.open_(at.journal_folder, at.clock)).state is State.UNFINISHED


def test_where_nobody_can_be_asked_a_person_must_say_that_the_old_one_is_dead(desk: Make) -> None:
    """A consumer that can read back what was written does not know what became of the old one."""
    at = desk()
    at.rotator, at.verified = _Manual(), False
    at.box()
    at.run()
    at.rotation().provide(_made_by_hand(at))
    for _ in range(2):
        outcome = at.run()
        assert isinstance(outcome, WaitingHuman) and outcome.step == "REVOKE"
    outcome = at.run(Options(attested_by="alice"))
    assert isinstance(outcome, Attested) and outcome.by == "alice"


@pytest.mark.parametrize("change", ["kind", "path", "store", "target"])
def test_another_entry_under_the_old_name_is_refused(desk: Make, change: str) -> None:
    at = desk()
    stop = StopAt("journal DRAIN intent")
    at.fences = (stop,)
    at.run()
    stop.armed = False
    changed: dict[str, Any] = {
        "kind": {"kind": "toy/other"},
        "path": {"path": "lanes/other/key"},
        "store": {"store": "elsewhere"},
        "target": {"target": at.entry.target._replace(user="somebody")},
    }
    right, at.entry = at.entry, at.entry._replace(**changed[change])
    for outcome in (at.run(), abort(at.rotation())):
        assert isinstance(outcome, Stopped) and change in outcome.reason
    at.entry = right
    assert isinstance(at.run(), Proved)


def test_other_steps_than_those_agreed_to_are_not_taken(desk: Make) -> None:
    at = desk()
    outcome = at.run(Options(agreed=("RESERVE", "ISSUE", "DONE")))
    assert isinstance(outcome, Stopped) and "plan" in outcome.reason and not outcome.changed
    assert at.store.read(PATH, Slot.PREVIOUS) is None and at.world.working() == 1


# the provider


def test_one_that_the_provider_killed_already_is_replaced(desk: Make) -> None:
    """Providers revoke leaked keys by themselves: that must not be the end."""
    at = desk()
    box = at.box()
    del at.world.toy.keys[at.world.id]
    outcome = at.run()
    assert isinstance(outcome, Proved), outcome
    assert at.world.works(at.current()) and box.held == dict(at.current()) and at.world.others_untouched()


def test_one_that_belongs_to_another_account_is_still_refused(desk: Make) -> None:
    at = desk()
    at.world.toy.keys[at.world.id]["principal"] = "another"
    outcome = at.run()
    assert isinstance(outcome, Stopped) and "not a key of" in outcome.reason and not outcome.changed


class _Busy(ToyRotator):
    def disable(self, job: Job, id: str, parts: SecretParts) -> None:
        raise Throttled("not today", retry_after=86_400.0)

    def issue(self, job: Job, new: SecretParts, old: SecretParts) -> Issued:
        raise Throttled("not today", retry_after=float("inf"))


def test_a_provider_that_says_tomorrow_is_not_waited_for(desk: Make) -> None:
    for mode in ("planned", INCIDENT):
        at = desk(_Busy())
        before = at.clock.now()
        outcome = at.run(Options(mode=mode))
        assert isinstance(outcome, Stopped) and "resume" in outcome.hint
        assert at.clock.now() - before < 600


class _Dated(ToyRotator):
    """Lists without marks, with the time at which each was made."""

    capabilities = Capabilities(settle=5, propagation=5)
    made: dict[str, float]

    def inventory(self, job: Job) -> Inventory:
        listed = super().inventory(job)
        return listed._replace(held=tuple(each._replace(mark="", created=self.made.get(each.id)) for each in listed.held))


def test_a_key_made_long_after_the_interrupted_attempt_is_somebody_elses(desk: Make) -> None:
    rotator = _Dated()
    at = desk(rotator, lane_owned=True, marks=False)
    at.world.toy.fail(Fault("500", method="POST", path="/keys", times=9))
    rotator.made = {}
    stop = StopAt("POST", RuntimeError("killed before it was sent"))
    at.fences = (stop,)
    assert isinstance(at.run(), Stopped)
    at.world.toy.faults.clear()
    stop.armed = False
    at.clock.sleep(86_400)
    id, _ = at.world.toy.mint("lane", "")
    rotator.made = {id: at.clock.now() - 3_600}
    outcome = at.run()
    assert isinstance(outcome, Stopped) and id in outcome.reason
    assert at.world.toy.keys[id]["active"]


# listeners and journals


def test_a_listener_that_fails_does_not_hide_where_it_stopped(desk: Make) -> None:
    at = desk()

    def tell(ref: str, step: str, detail: str) -> None:
        if step == "PROMOTE":
            raise Halted("cannot write the audit log")

    outcome = at.rotation(tell=tell).run()
    assert isinstance(outcome, Stopped) and outcome.step == "PROMOTE" and outcome.changed
    assert outcome.rotation and "audit log" in outcome.reason
    assert isinstance(at.run(), Proved)


def test_who_only_looks_leaves_a_line_that_is_being_written_alone(tmp_path: Any) -> None:
    clock = ManualClock()
    rotations = str(tmp_path / "rotations")
    journal = Journal.create(rotations, "r1", clock)
    journal.intent("PLAN", ref="a/b")
    path = tmp_path / "rotations" / "r1" / FILE
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"v":1,"rota')
    assert [each.ref for each in standings(str(tmp_path), clock)] == ["a/b"]
    assert path.read_bytes() == whole + b'{"v":1,"rota'
    again = Journal.open_(str(tmp_path / "rotations" / "r1"), clock)
    again.seen("PLAN", ref="a/b")
    assert path.read_bytes().startswith(whole) and len(Journal.open_(again.folder, clock).lines) == 2


# many at once


def _task(ref: str, log: list[str], outcome: Outcome | None = None, **options: Any) -> Task:
    def run() -> Outcome:
        log.append(ref)
        return outcome or Proved("r", ref)

    return Task(ref, run, "a", **options)


def test_what_is_said_of_one_outweighs_what_holds_for_all() -> None:
    log: list[str] = []
    run_all([_task("app/x", log, depends_on=("vault/t",)), _task("vault/t", log, last=True), _task("b/x", log)])
    assert sorted(log) == ["app/x", "b/x", "vault/t"] and log.index("vault/t") < log.index("app/x")
    log.clear()
    run_all([_task("c/x", log, canary=True, depends_on=("b/x",)), _task("b/x", log), _task("d/x", log)])
    assert log == ["b/x", "c/x", "d/x"]


def test_all_canaries_of_a_group_go_first() -> None:
    log: list[str] = []
    failed = Stopped("r", "a/x", "ISSUE", "no")
    tasks = [_task("a/x", log, failed, canary=True), _task("b/x", log, canary=True), _task("c/x", log)]
    assert isinstance(run_all(tasks)["c/x"], Stopped) and "c/x" not in log


def test_a_canary_that_could_not_begin_holds_nobody_back_in_an_incident() -> None:
    log: list[str] = []
    tasks = [
        _task("a/x", log, Stopped("r", "a/x", "ISSUE", "no"), tier=1),
        _task("z/canary", log, canary=True, depends_on=("a/x",), group="g", tier=3),
        _task("b/x", log, group="g", tier=2),
    ]
    assert isinstance(run_all(tasks, canary_holds=False)["b/x"], Proved)


def test_a_call_within_a_call_does_not_wait_for_itself() -> None:
    with Ports(Hosts(), fences=(AccountGate(SystemClock()),)) as ports:
        inner = lambda: ports.call("inner", "h", lambda: 1, changes=True)  # noqa: E731
        assert ports.call("outer", "h", inner, changes=True) == 1


# the door


class _Raises:
    def before(self, call: Call) -> None:
        """Lets everything in."""

    def after(self, call: Call, outcome: str) -> None:
        raise OSError("the disk is full")


def test_a_fence_that_fails_does_not_keep_the_gate_closed() -> None:
    import threading

    gate = AccountGate(SystemClock())
    with Ports(Hosts(), fences=(gate, _Raises())) as ports, pytest.raises(OSError):
        ports.call("a", "h", lambda: 1, changes=True)

    def change() -> None:
        gate.before(Call("b", "h", True))
        gate.after(Call("b", "h", True), "ok")

    free = threading.Thread(target=change, daemon=True)
    free.start()
    free.join(5)
    assert not free.is_alive(), "the account is locked for ever"


class _Cookies(FakeProvider):
    """Remembers who logged in, by a cookie, as a web service does."""

    RULES = ("its own",)

    def handle(self, request: Request) -> Response:
        if request.path == "/packed":
            return Response(200, b"\x00", {"Content-Encoding": "br"})
        if "session=1" in request.headers.get("cookie", "") or request.headers.get("authorization") == "live":
            return Response(200, {}, {"Set-Cookie": "session=1; Path=/"})
        return Response(401, {})


@pytest.fixture
def cookies() -> Iterator[Http]:
    with _Cookies() as fake, Ports(Hosts().with_url(fake.url)) as ports:
        yield ports.http(fake.url)


def test_no_cookie_vouches_for_a_dead_credential(cookies: Http) -> None:
    assert cookies.request("GET", "/me", headers={"authorization": "live"}).status == 200
    assert cookies.request("GET", "/me", headers={"authorization": "dead"}).status == 401


def test_an_answer_in_a_packing_without_bounds_is_not_unpacked(cookies: Http) -> None:
    with pytest.raises(KeywardError, match="packed"):
        cookies.request("POST", "/packed")


@pytest.mark.parametrize("header", ["a\nb", "a\r\nhost: evil"])
def test_what_cannot_be_sent_was_not_sent(cookies: Http, header: str) -> None:
    with pytest.raises(Refused):
        cookies.request("POST", "/me", headers={"authorization": header})


@pytest.mark.parametrize("path", [":1/x", "@evil.example/x", ".evil.example/x", "x"])
def test_a_path_cannot_leave_the_host(cookies: Http, path: str) -> None:
    with pytest.raises(HostRefused):
        cookies.request("GET", path)


@pytest.mark.parametrize(
    "url", ["http://:pw@127.0.0.1:1", "http://127.0.0.1:1/#x", "http://127.0.0.1:1\\@b", "http://127.evil.example"]
)
def test_odd_base_urls_are_refused(url: str) -> None:
    hosts = Hosts(configured=frozenset({("127.0.0.1", 1), ("127.evil.example", 80)}))
    with Ports(hosts) as ports, pytest.raises(HostRefused):
        ports.http(url)
