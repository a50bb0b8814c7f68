"""A case and its containment: real commands, a real store, a real SDK against a local Lighthouse, and a `docker` that keeps state."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from keyward.errors import ConfigError, UsageError
from keyward.flows.incident_case import NOTES, Case, cases, load_case, open_case, open_incident, told
from keyward.flows.incident_contain import Contained, ContainStep, Means, contain, plan
from keyward.flows.incident_prepare import prepare, read_record
from keyward.flows.incident_settings import read_settings
from keyward.flows.workplace import Workplace
from keyward.incident.firewall import same
from keyward.incident.host_areas import Places
from keyward.incident.lighthouse import from_answer
from keyward.incident.settings import IncidentSettings
from keyward.model.incident import CONTAIN, DONE, FAILED, SKIPPED, UNCERTAIN
from keyward.plugin.clock import ManualClock
from keyward.registry import Registry
from keyward.rotate.lanes import load_lanes
from keyward.scan.sources.host import Host
from keyward.testing.fakes.lighthouse import FakeLighthouse
from keyward.testing.fakes.server import Fault

pytest.importorskip("tencentcloud.lighthouse", reason="tencentcloud-sdk-python-lighthouse is not installed")
pytest.importorskip("pyrage", reason="pyrage is not installed")

STORE = """\
[stores.local]
type = "agefile"
file = "{folder}/store.age"
insecure_identity = true
"""

INCIDENT = """
[incident]
ssh_from = ["203.0.113.7/32"]
copies = ["{folder}/logs"]
stop_containers = ["bot"]

[[incident.pause]]
name = "agents"
run = ["{python}", "-c", "open('{folder}/paused', 'a').write('x')"]
undo = ["{python}", "-c", "open('{folder}/started', 'a').write('x')"]

[[incident.lighthouse]]
instance = "{instance}"
region = "ap-singapore"
admin = {{ id = "env:LH_ID", secret = "env:LH_SECRET" }}
base_url = "{url}"
"""

DOCKER = """\
#!{python}
import json, os, sys
path = {state!r}
state = json.load(open(path))
words = sys.argv[1:]
state["calls"].append(words)
container = state["containers"].get(words[-1])
answer = 0
if words[0] == "inspect":
    if container is None:
        answer = 1
    else:
        print(json.dumps([container]))
elif words[0] in ("rm", "kill"):
    answer = 99
elif words[0] == "stop":
    container["State"]["Running"] = False
elif words[0] == "pause":
    container["State"]["Paused"] = True
elif words[0] == "update":
    container["HostConfig"]["RestartPolicy"]["Name"] = words[2]
json.dump(state, open(path, "w"))
sys.exit(answer)
"""


class World:
    """A folder with a configuration, a store, a `docker` on the path, and a fake Lighthouse."""

    def __init__(self, folder: Path, fake: FakeLighthouse, clock: ManualClock) -> None:
        self.folder, self.fake, self.clock = folder, fake, clock
        user = fake.make_user("incident", fake.make_policy("p", "lighthouse:*").id)
        self.key = fake.make_key(user)
        (folder / "home").mkdir()
        (folder / "home" / ".bash_history").write_text("ls\nhistory of the shell\n")
        (folder / "logs").mkdir()
        (folder / "logs" / "app.log").write_text("a log\n")
        self.config = folder / "config.toml"
        self.configure(INCIDENT)
        self.docker_state = folder / "docker.json"
        self.set_docker("bot", {"Running": True}, {"AutoRemove": False, "RestartPolicy": {"Name": "always"}})

    def configure(self, incident: str) -> None:
        names = {"folder": self.folder, "python": sys.executable, "instance": self.fake.instance.id, "url": self.fake.url}
        self.config.write_text((STORE + incident).format(**names))
        self.config.chmod(0o600)

    def set_docker(self, name: str, state: dict[str, object], config: dict[str, object]) -> None:
        container = {"Id": "c" * 64, "Image": "sha256:" + "d" * 64, "State": state, "HostConfig": config}
        self.docker_state.write_text(json.dumps({"calls": [], "containers": {name: container}}))
        bin = self.folder / "bin"
        bin.mkdir(exist_ok=True)
        program = bin / "docker"
        program.write_text(DOCKER.format(python=sys.executable, state=str(self.docker_state)))
        program.chmod(0o755)

    @property
    def docker(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.docker_state.read_text())
        return found

    @property
    def settings(self) -> IncidentSettings:
        return read_settings(str(self.config))

    def place(self) -> Workplace:
        environment = {"LH_ID": self.key.id, "LH_SECRET": self.key.secret}
        operator = load_lanes(str(self.config))
        return Workplace(operator, Registry(), state=str(self.folder / "state"), clock=self.clock, environment=environment)

    def means(self) -> Means:
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"

        def located(argv: Sequence[str]) -> list[str]:
            return [str(self.folder / "bin" / "docker"), *argv[1:]] if argv[0] == "docker" else list(argv)

        def output(argv: Sequence[str]) -> bytes | None:
            if argv[0] != "docker":
                return None
            done = subprocess.run(located(argv), capture_output=True, env={"PATH": path}, check=False)
            return done.stdout if done.returncode == 0 else None

        from keyward.rotate.consumers.commands import Ran, run_command

        def run(argv: Sequence[str], *, stdin: bytes, environment: object, timeout: float) -> Ran:
            return run_command(located(argv), stdin=stdin, environment=dict(environment), timeout=timeout)  # type: ignore[call-overload]

        host = Host(str(self.folder / "home"), {}, root=str(self.folder / "home"))
        return Means(run=run, output=output, session={}, host=host)

    def contain(self, case: Case, approve: object = lambda step: True, **more: object) -> Contained:
        return contain(case.place, self.settings, case, approve=approve, means=self.means(), **more)  # type: ignore[arg-type]

    def everything(self) -> bytes:
        """All that lies in the state folder."""
        return b"".join(path.read_bytes() for path in (self.folder / "state").rglob("*") if path.is_file())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clock = ManualClock(time.time())
    with FakeLighthouse(clock=clock, throttle=False, quoting=True) as fake:
        yield World(tmp_path, fake, clock)


@pytest.fixture
def case(world: World) -> Iterator[Case]:
    with world.place() as place, open_case(place, "leak", reason="seen", retention=86_400.0)[0] as made:
        yield made


def outcomes(done: Contained) -> dict[str, str]:
    return {step.id.partition(":")[0]: outcome for step, outcome, _ in done.outcomes}


# the case


def test_a_case_is_private_and_is_the_open_incident(world: World, case: Case) -> None:
    assert stat.S_IMODE(os.stat(case.folder).st_mode) == 0o700 == stat.S_IMODE(os.stat(case.evidence).st_mode)
    assert open_incident(case.place.state) == ("leak", case.folder)
    again, new = open_case(case.place, "leak")
    assert not new and again.info == case.info
    with pytest.raises(UsageError, match="incident leak is open"):
        open_case(case.place, "another")
    case.close()
    assert open_incident(case.place.state) is None
    (info,) = cases(case.place.state)
    assert info.closed and info.actor


@pytest.mark.parametrize("name", ["", "../x", "A", "a b", "x" * 49, "a/b", "-x"])
def test_a_name_that_is_none_is_refused(world: World, name: str) -> None:
    with world.place() as place, pytest.raises(UsageError):
        open_case(place, name)
    assert not (world.folder / "state" / "incidents").exists()


def test_a_folder_with_something_in_it_is_not_taken(world: World) -> None:
    with world.place() as place, pytest.raises(UsageError, match="not empty"):
        open_case(place, "leak", folder=str(world.folder / "logs"))


def test_notes_cannot_be_changed_unseen(world: World, case: Case) -> None:
    for number in range(4):
        case.note(f"note {number}")
    assert case.verify().ok
    path = Path(case.folder) / NOTES
    whole = path.read_text()
    for bad in (whole.replace("note 1", "note 9"), "".join(line for line in whole.splitlines(True) if "note 2" not in line)):
        path.write_text(bad)
        assert not case.verify().ok
    case.__exit__()  # mirrors the head: entries cut off at the end are missed as well
    path.write_text("".join(whole.splitlines(True)[:-1]))
    assert not case.verify().ok


def test_entries_of_another_case_are_not_taken(world: World, case: Case) -> None:
    case.note("the first case")
    first = (Path(case.folder) / NOTES).read_text()
    case.close()
    with open_case(case.place, "second")[0] as second:
        second.note("the second case")
        path = Path(second.folder) / NOTES
        path.write_text(path.read_text() + first.splitlines(True)[-1])
        assert not second.verify().ok
        assert [note.text for note in told(second).notes] == ["the second case"]


def test_what_was_begun_and_has_no_end_is_uncertain(world: World, case: Case) -> None:
    case.begin(CONTAIN, "firewall:x", "shut the firewall", "x")
    said = told(case)
    assert said.unfinished == ("firewall:x",) and said.actions[-1].outcome == UNCERTAIN
    case.begin(CONTAIN, "firewall:x", "shut the firewall", "x")
    case.end(CONTAIN, "firewall:x", "shut the firewall", DONE, target="x")
    said = told(case)
    assert said.unfinished == () and [each.outcome for each in said.actions] == [UNCERTAIN, DONE]


def test_an_emergency_goes_on_without_the_store(world: World) -> None:
    world.config.write_text(world.config.read_text().replace("insecure_identity = true", 'passphrase = "env:NOT_SET"'))
    with world.place() as place:
        with open_case(place, "leak")[0] as case:
            case.note("the store is gone")
            assert case.info.key == "folder" and case.verify().ok
        with load_case(place) as again:
            assert [note.text for note in told(again).notes] == ["the store is gone"]
            assert again.told("open"), "that the audit log has no entry is said"


# containment


def test_everything_is_contained_and_nothing_twice(world: World, case: Case) -> None:
    before = [dict(rule) for rule in world.fake.instance.rules]
    done = world.contain(case)
    assert set(outcomes(done).values()) == {DONE} and not done.failed
    assert [step.id.partition(":")[0] for step, _, _ in done.outcomes] == [
        "pause", "snapshot", "firewall", "copies", "snapshot whole", "stop",
    ]  # fmt: skip
    assert (world.folder / "paused").read_text() == "x"
    assert [rule["CidrBlock"] for rule in world.fake.instance.rules] == ["203.0.113.7/32"]
    (snapshot,) = world.fake.snapshots.values()
    assert snapshot.name == "keyward-leak" and snapshot.ready <= world.clock.now()
    assert world.docker["containers"]["bot"]["State"]["Running"] is False  # type: ignore[index]
    assert "rm" not in {call[0] for call in world.docker["calls"]}  # type: ignore[attr-defined]
    kept = case.load(f"evidence/firewall-{world.fake.instance.id}.json")
    assert same([from_answer(rule) for rule in before], [_rule(each) for each in kept["rules"]])
    assert told(case).steps[1].ended, "the phase is whole"

    changes = len(world.fake.changes)
    again = world.contain(case)
    assert {detail for _, _, detail in again.outcomes} == {"done before"}
    assert len(world.fake.changes) == changes and (world.folder / "paused").read_text() == "x"
    assert case.verify().ok


def _rule(values: Sequence[str]) -> object:
    from keyward.incident.firewall import Rule

    return Rule(*values)


def test_a_second_shutting_keeps_the_rules_of_before(world: World, case: Case) -> None:
    world.contain(case, only=("firewall",))
    path = f"evidence/firewall-{world.fake.instance.id}.json"
    kept = case.load(path)
    world.contain(case, only=("firewall",), again=True)
    assert case.load(path) == kept and len(kept["rules"]) == 4


def test_the_copies_can_be_opened_by_who_has_the_store(world: World, case: Case) -> None:
    import io
    import tarfile

    import pyrage

    from keyward.plugin.store import Slot

    world.contain(case, only=("copies",))
    (archive,) = Path(case.evidence).glob("*.age")
    held = case.place.store("local").read("audit/evidence", Slot.CURRENT)
    assert held is not None
    identity = pyrage.x25519.Identity.from_str(held.parts["identity"].reveal().decode())
    with tarfile.open(fileobj=io.BytesIO(pyrage.decrypt(archive.read_bytes(), [identity]))) as tar:
        names = tar.getnames()
    assert str(world.folder / "home/.bash_history").lstrip("/") in names
    assert str(world.folder / "logs/app.log").lstrip("/") in names
    assert b"history of the shell" not in world.everything()


def test_one_failure_stops_nothing_else_and_can_be_repeated(world: World, case: Case) -> None:
    world.fake.fail_snapshots = 1
    world.set_docker("other", {"Running": True}, {"RestartPolicy": {"Name": "no"}})
    first = outcomes(world.contain(case))
    assert first["snapshot whole"] == FAILED == first["stop"] and first["firewall"] == DONE == first["copies"]
    assert told(case).steps[1].left == (f"begin a snapshot {world.fake.instance.id}", f"wait for the snapshot {world.fake.instance.id}",
                                        "stop the container bot")  # fmt: skip
    world.set_docker("bot", {"Running": True}, {"RestartPolicy": {"Name": "no"}})
    second = outcomes(world.contain(case))
    assert set(second.values()) == {DONE} and len(world.fake.snapshots) == 2


def test_a_crash_between_the_write_and_the_note_ends_the_same(world: World, case: Case) -> None:
    case.begin(CONTAIN, f"firewall:{world.fake.instance.id}", "shut the firewall")
    world.fake.fail(Fault("lost", label="ModifyFirewallRules"))
    assert outcomes(world.contain(case))["firewall"] == DONE
    assert world.fake.instance.version == 2, "it was written once, and read back"


def test_what_is_not_approved_is_not_done(world: World, case: Case) -> None:
    asked: list[str] = []

    def approve(step: ContainStep) -> bool:
        asked.append(step.id)
        return step.id == "copies"

    done = outcomes(world.contain(case, approve))
    assert done.pop("copies") == DONE and set(done.values()) == {SKIPPED}
    assert len(asked) == 6
    assert not world.fake.changes and not (world.folder / "paused").exists()
    assert {call[0] for call in world.docker["calls"]} <= {"ps"}, "only looked at"  # type: ignore[attr-defined]


def test_nobody_is_locked_out(world: World, case: Case) -> None:
    world.configure(INCIDENT.replace('ssh_from = ["203.0.113.7/32"]\n', ""))
    step = next(step for step in plan(world.settings, "leak", means=world.means()) if step.id.startswith("firewall"))
    assert "locked out" in step.refusal and "ssh_from" in step.hint
    assert outcomes(world.contain(case, only=("firewall",)))["firewall"] == FAILED
    assert not world.fake.changes

    session = world.means()._replace(session={"SSH_CONNECTION": "198.51.100.4 50022 10.0.0.4 22"})
    contain(case.place, world.settings, case, approve=lambda step: True, only=("firewall",), means=session)
    assert [rule["CidrBlock"] for rule in world.fake.instance.rules] == ["198.51.100.4/32"]


def test_a_container_that_would_vanish_is_frozen(world: World, case: Case) -> None:
    world.set_docker("bot", {"Running": True}, {"AutoRemove": True, "RestartPolicy": {"Name": "no"}})
    world.contain(case, only=("stop",))
    assert {call[0] for call in world.docker["calls"]} == {"inspect", "pause"}  # type: ignore[attr-defined]
    assert world.docker["containers"]["bot"]["State"]["Paused"] is True  # type: ignore[index]


def test_a_stopped_container_does_not_come_back_by_itself(world: World, case: Case) -> None:
    world.contain(case, only=("stop",))
    config = world.docker["containers"]["bot"]["HostConfig"]  # type: ignore[index]
    assert config["RestartPolicy"]["Name"] == "no"
    assert told(case).finished["stop:bot"]["data"]["restart"] == "always", "what it was is in the case"


def test_a_hook_that_fails_or_hangs_says_so_and_shows_nothing_it_printed(world: World, case: Case) -> None:
    secret = "s3" + "cr3t-of-a-hook"
    text = f"""
[[incident.pause]]
name = "fails"
run = ["{sys.executable}", "-c", "print('s3' + 'cr3t-of-a-hook'); raise SystemExit(3)"]
[[incident.pause]]
name = "hangs"
run = ["{sys.executable}", "-c", "import time; time.sleep(60)"]
timeout = "1s"
[[incident.pause]]
name = "nowhere"
run = ["/no/such/program"]
"""
    world.config.write_text(STORE.format(folder=world.folder) + text)
    world.config.chmod(0o600)
    said = {step.id: detail for step, _, detail in world.contain(case, only=("pause",)).outcomes}
    assert "exit code 3" in said["pause:fails"] and "longer than 1 s" in said["pause:hangs"]
    assert "cannot be run" in said["pause:nowhere"]
    assert secret not in "".join(said.values()) and secret.encode() not in world.everything()


def test_no_admin_secret_lies_anywhere(world: World, case: Case) -> None:
    world.contain(case)
    world.key.refused_from = 0.0
    done = world.contain(case, again=True)
    assert done.failed, "a dead key is refused"
    texts = " ".join(detail for _, _, detail in done.outcomes)
    assert world.key.secret not in texts and world.key.secret.encode() not in world.everything()


# prepare


def test_the_good_state_is_recorded_and_not_while_an_incident_is_open(world: World) -> None:
    places = Places(str(world.folder / "home"), str(world.folder))
    with world.place() as place:
        made = prepare(place, world.settings, places=places, run=lambda argv: None)
        assert read_record(place) == made.record and stat.S_IMODE(os.stat(made.path).st_mode) == 0o600
        world.clock.sleep(60)
        second = prepare(place, world.settings, places=places, run=lambda argv: None)
        assert second.before == made.record.time
        assert len(os.listdir(os.path.join(place.state, "host-records"))) == 1, "the one before is kept"
        with open_case(place, "leak")[0]:
            with pytest.raises(UsageError, match="incident leak is open"):
                prepare(place, world.settings, places=places, run=lambda argv: None)
            prepare(place, world.settings, places=places, run=lambda argv: None, dry_run=True)
        assert read_record(place) == second.record
        Path(made.path).write_text(Path(made.path).read_text().replace('"vm"', '"x"').replace('"host"', '"hos"'))
        with pytest.raises(ConfigError):
            read_record(place)


# settings


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[incident]\nssh_form = []", "has no key `ssh_form`"),
        ('[incident]\nssh_from = ["10.0.0.1"]', "lock you out"),
        ('[incident]\nrecipients = ["nonsense"]', "no age recipient"),
        ('[incident]\nretention = "soon"', "must be a duration"),
        ('[incident]\nlast_drill = "yesterday"', "must be a date"),
        ('[incident]\ncopies = ["logs"]', "not absolute"),
        ('[incident]\nstop_containers = ["--all"]', "no name of a container"),
        ('[[incident.pause]]\nname = "x"', "`run` is missing"),
        ('[[incident.lighthouse]]\ninstance = "i"\nregion = "r"', "lacks its `id`"),
        ('[[incident.lighthouse]]\nregion = "r"\nadmin = { id = "env:A", secret = "env:B" }', "`instance` is missing"),
        ('[[incident.lighthouse]]\ninstance = "i"\nregion = "r"\nbase_url = "http://x.org"\nadmin = { id = "env:A", secret = "env:B" }', "https"),
    ],
)  # fmt: skip
def test_a_wrong_setting_names_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text("# first line\n" + text + "\n")
    with pytest.raises(ConfigError) as caught:
        read_settings(str(path))
    assert said in str(caught.value) and caught.value.line >= 2 and caught.value.hint


def test_a_secret_in_the_place_of_a_reference_is_not_repeated(tmp_path: Path) -> None:
    secret = "plain" + "-value-of-a-key"
    path = tmp_path / "config.toml"
    path.write_text(f'[[incident.lighthouse]]\ninstance = "i"\nregion = "r"\nadmin = {{ id = "env:A", secret = "{secret}" }}\n')
    with pytest.raises(ConfigError) as caught:
        read_settings(str(path))
    assert secret not in str(caught.value) + caught.value.hint and "no reference" in str(caught.value)


def test_the_example_of_the_module_is_read(tmp_path: Path) -> None:
    import keyward.flows.incident_settings as module

    text = "\n".join(line[4:] for line in (module.__doc__ or "").splitlines() if line.startswith("    "))
    path = tmp_path / "config.toml"
    assert "[incident]" in text
    path.write_text(text.replace('"age1…"', ""))
    settings = read_settings(str(path))
    assert settings.hooks[0].undo and settings.machines[0].region and settings.contacts[0].name == "Ana" and settings.last_drill
