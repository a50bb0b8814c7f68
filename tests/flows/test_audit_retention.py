"""`[audit] keep`: what a rotation's end drops of the audit log by itself, once a day, and when it does not."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from keyward.errors import ConfigError
from keyward.flows.audit import RETAINED, log_path, verify
from keyward.flows.config_check import check, schema
from keyward.flows.rotate import Chosen, Selection, rotate
from keyward.flows.workplace import Workplace
from keyward.plugin.clock import ManualClock
from keyward.registry import Registry
from keyward.rotate.audit import Record, audit_key
from keyward.rotate.audit_verify import read
from keyward.rotate.lanes import load_lanes
from keyward.rotate.parties import Options

DAY = 86_400.0

CONFIG = """\
[stores.main]
type = "agefile"
file = "{folder}/store.age"
insecure_identity = true

[[lanes.bot.credentials]]
name = "jwt"
kind = "app/signing-secret"

[[lanes.bot.consumers]]
type = "dotenv"
path = "{folder}/.env"
set = {{ JWT = "{{secret}}" }}
"""


class Host:
    """One state folder, and a clock that goes on."""

    def __init__(self, folder: Path, table: str) -> None:
        self.folder, self.config, self.clock = folder, folder / "config.toml", ManualClock()
        self.config.write_text(CONFIG.format(folder=folder) + table)
        self.config.chmod(0o600)
        (folder / ".env").write_text("")
        self.said: list[str] = []

    def open(self) -> Workplace:
        state = str(self.folder / "state")
        return Workplace(load_lanes(str(self.config)), Registry(), state=state, clock=self.clock, warn=self.said.append)

    def note(self, *what: str) -> None:
        with self.open() as place:
            for each in what:
                place.audit.append(each)

    def rotate(self) -> None:
        with self.open() as place:
            lane = place.operator.lane("bot")
            (outcome,) = rotate(place, Selection((Chosen(lane, lane.entries[0]),)), Options()).outcomes
            assert outcome.ref == "bot/jwt" and (self.folder / ".env").read_text() != ""

    def entries(self) -> list[Record]:
        """What the log has, which is whole."""
        with self.open() as place:
            assert verify(place).ok
            key = audit_key(place.store("main"))
            return list(read(log_path(place), key, since=0.0, until=float("inf")))

    def names(self) -> list[str]:
        return [each["what"] for each in self.entries()]


@pytest.fixture
def host(environment: None, tmp_path: Path) -> Host:
    return Host(tmp_path, '[audit]\nkeep = "400d"\n')


def test_a_rotation_drops_what_is_older_and_says_so_in_the_log(host: Host) -> None:
    host.note("old", "old too")
    host.clock.sleep(399 * DAY)
    host.note("young")
    assert host.names() == ["old", "old too", "young"]
    host.clock.sleep(2 * DAY)
    host.rotate()
    names = host.names()
    assert "old" not in names and "young" in names and names[-1] == "audit.retain"
    assert "2 entries" in host.entries()[-1]["detail"] and host.said == []


def test_it_is_looked_for_once_a_day(host: Host) -> None:
    host.note("first")
    host.clock.sleep(400 * DAY - 3600)
    host.note("second")  # looks, and finds nothing that old
    host.clock.sleep(7200)
    host.note("third")
    assert "first" in host.names()
    host.clock.sleep(DAY)
    host.note("fourth")
    assert "first" not in host.names()


def test_a_clock_that_was_put_back_does_not_put_it_off(host: Host) -> None:
    host.note("first")
    host.clock.sleep(401 * DAY)
    (host.folder / "state" / RETAINED).write_text(f"{host.clock.now() + 9 * DAY:.0f}\n")
    host.note("second")
    assert "first" not in host.names()


def test_a_log_that_is_not_whole_is_left_alone_and_that_is_said(host: Host) -> None:
    host.note("first", "second")
    log = host.folder / "state" / "audit.jsonl"
    log.write_bytes(log.read_bytes().replace(b"first", b"other"))
    host.clock.sleep(401 * DAY)
    before = log.read_bytes()
    host.rotate()
    assert log.read_bytes().startswith(before)
    assert len(host.said) == 1 and "[audit] keep" in host.said[0] and "not whole" in host.said[0]


def test_nothing_is_dropped_while_an_incident_is_open(host: Host) -> None:
    host.note("first")
    host.clock.sleep(401 * DAY)
    folder = host.folder / "state" / "incidents"
    folder.mkdir()
    (folder / "current.json").write_text(json.dumps({"name": "leak", "folder": str(folder / "leak")}))
    with host.open() as place:
        from keyward.flows.incident_case import open_incident

        assert open_incident(place.state) is not None
    host.rotate()
    assert "first" in host.names()


def test_looking_drops_nothing(host: Host) -> None:
    host.note("first", "second")
    host.clock.sleep(401 * DAY)
    with host.open() as place:
        assert place.audit.path  # open, and not written
    assert host.names() == ["first", "second"]


def test_without_the_setting_everything_stays(environment: None, tmp_path: Path) -> None:
    host = Host(tmp_path, "")
    host.note("first", "second")
    host.clock.sleep(4000 * DAY)
    host.rotate()
    assert host.names()[:2] == ["first", "second"]


def test_it_stands_beside_a_mirror_or_alone(tmp_path: Path) -> None:
    alone = load_lanes(str(Host(tmp_path, '[audit]\nkeep = "400d"\n').config))
    assert alone.audit_keep == 400 * DAY and alone.audit is None
    both = load_lanes(str(Host(tmp_path, '[audit]\nmirror = "store:main"\nkeep = "60d"\n').config))
    assert both.audit_keep == 60 * DAY and both.audit is not None and both.audit.stores == ("main",)


@pytest.mark.parametrize(
    ("table", "message", "hint"),
    [
        ('[audit]\nkeep = "never"\n', "`keep` must be a duration", "90d"),
        ("[audit]\nkeep = 400\n", "`keep` must be a duration", "90d"),
        ('[audit]\nkeep = "12h"\n', "less than a day", "400d"),
        ('[audit]\nkeep = "400d"\nsocket = "/dev/log"\n', "`mirror` is missing", "syslog"),
        ('[audit]\nkep = "400d"\n', "", "keep"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, table: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_lanes(str(Host(tmp_path, table).config))
    assert message in str(caught.value) and hint in caught.value.hint and caught.value.line > 10


@pytest.mark.parametrize(
    ("table", "right"),
    [
        ('keep = "400d"', True),
        ('mirror = "syslog"\nkeep = "8w"', True),
        ('mirror = "syslog"\nsocket = "/dev/log"\nkeep = "8w"', True),
        ("", False),
        ("keep = 400", False),
        ('keep = "never"', False),
        ('keep = "400d"\nsocket = "/dev/log"', False),
    ],
)
def test_the_schema_for_editors_says_the_same(tmp_path: Path, table: str, right: bool) -> None:
    text = f"[audit]\n{table}\n"
    assert jsonschema.Draft202012Validator(json.loads(schema())).is_valid(tomllib.loads(text)) == right
    if right:
        load_lanes(str(Host(tmp_path, text).config))
    else:
        with pytest.raises(ConfigError):
            load_lanes(str(Host(tmp_path, text).config))


def test_config_check_takes_it_and_names_what_is_wrong(tmp_path: Path) -> None:
    assert check(str(Host(tmp_path, '[audit]\nkeep = "400d"\n').config)).operator.audit_keep == 400 * DAY
    with pytest.raises(ConfigError, match="`keep` must be a duration"):
        check(str(Host(tmp_path, '[audit]\nkeep = "400 days"\n').config))
