"""`in-place`, and the proposal of a consumer for a file in which a scan found a value."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyward.errors import ConfigError, ConsumerChanged, ConsumerError
from keyward.model.lane import ConsumerSpec
from keyward.model.secret import Secret
from keyward.plugin.consumer import Consumer, Holds, Values
from keyward.plugin.ports import Hosts, Ports
from keyward.rotate.consumers import make_consumer
from keyward.rotate.consumers.guess import guess_consumer
from keyward.testing.consumer_contract import ConsumerContract

OLD, NEW = b"old-Secret/99+x", b'n"ew:$3cret/+ %'


class InPlaceContract(ConsumerContract):
    sees_nothing = False
    file = ""
    text = ""

    def prepare(self, folder: Path, held: Holds, values: Values) -> None:
        known = {Holds.OLD: values.old, Holds.NEW: values.new}
        text = self.text
        for part in ("id", "secret"):
            value = known[held][part].reveal().decode() if held in known else "somebody"
            text = text.replace(f"%{part}", value)
        (folder / self.file).write_text(text)

    def make(self, folder: Path, ports: Ports) -> Consumer:
        return make_consumer(ConsumerSpec("in-place", {"path": str(folder / self.file)}), ports)


class TestDotenv(InPlaceContract):
    file = ".env"
    text = "# was %secret\nA='%id'\nURL=\"https://%id:%secret@host/x\" # note\nB=%secret\n"


class TestText(InPlaceContract):
    file = "nginx.conf"
    text = "auth %id;\nproxy http://u:%secret@h/;\nset $x '%secret';\n"


def values(old: bytes = OLD, new: bytes = NEW, **more: tuple[bytes, bytes]) -> Values:
    olds = {"secret": Secret(old), **{name: Secret(pair[0]) for name, pair in more.items()}}
    news = {"secret": Secret(new), **{name: Secret(pair[1]) for name, pair in more.items()}}
    return Values("l", "n", "r", olds, news)


def changed(folder: Path, name: str, text: str, v: Values) -> str:
    """The file after `apply`; a rollback must bring every byte back."""
    file = folder / name
    file.write_text(text)
    consumer = make_consumer(ConsumerSpec("in-place", {"path": str(file)}), Ports(Hosts()))
    assert consumer.holds(v) is Holds.OLD
    consumer.apply(v)
    consumer.verify(v)
    result = file.read_text()
    consumer.rollback(v)
    assert consumer.holds(v) is Holds.OLD
    return result


def test_each_place_gets_the_spelling_that_it_has(tmp_path: Path) -> None:
    old, new = OLD.decode(), NEW.decode()
    text = f'{{"a": "{old}", "u": "amqp://u:{quote(old, safe="")}@h/v", "h": "Bearer {old}", "c": "x"}}'
    after = json.loads(changed(tmp_path, "x.json", text, values()))
    assert after == {"a": new, "u": f"amqp://u:{quote(new, safe='')}@h/v", "h": f"Bearer {new}", "c": "x"}
    yaml = changed(tmp_path, "x.yaml", f"a: {old}\nb: [ '{old}' ] # note\n", values())
    assert yaml == 'a: "n\\"ew:$3cret/+ %"\nb: [ \'n"ew:$3cret/+ %\' ] # note\n'


def test_nested_json_stays_json(tmp_path: Path) -> None:
    old = 'o"ld-Secret\\99'
    text = json.dumps({"inner": json.dumps({"token": old})})
    after = changed(tmp_path, "x.json", text, values(old.encode()))
    assert json.loads(json.loads(after)["inner"]) == {"token": NEW.decode()}


def test_what_cannot_be_told_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "x.conf"
    for text, v, said in (
        ("set 'oldoldoldold';\n", values(b"oldoldoldold"), "quoted"),
        ("set oldoldoldoldX;\n", values(b"oldoldoldold", b"newnewnewnew"), "longer word"),
        ("user ann\npass oldoldoldold\n", values(b"oldoldoldold", b"newnewnewnew", username=(b"ann", b"bob")), "username"),
        ("pass short\n", values(b"short", b"other"), "fewer"),
    ):
        file.write_text(text)
        with pytest.raises(ConsumerError, match=said) as caught:
            make_consumer(ConsumerSpec("in-place", {"path": str(file)}), Ports(Hosts())).apply(v)
        assert "oldold" not in str(caught.value)
        assert file.read_text() == text


def test_a_short_name_changes_beside_its_secret_and_where_the_key_says_so(tmp_path: Path) -> None:
    v = values(b"oldoldoldold", b"newnewnewnew", username=(b"app", b"bpp"))
    text = "DB_NAME=app\nDB_USER=app\nURL=pg://app:" + "oldoldoldold" + "@app.example/app\n"
    file = tmp_path / ".env"
    file.write_text(text)
    make_consumer(ConsumerSpec("in-place", {"path": str(file)}), Ports(Hosts())).apply(v)
    assert file.read_text().startswith("DB_NAME=app\nDB_USER=bpp\nURL=pg://bpp:" + "newnewnewnew" + "@")


def test_a_file_that_does_not_parse_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_bytes(b'{"a": "' + OLD)
    with pytest.raises(ConsumerError, match="not JSON"):
        make_consumer(ConsumerSpec("in-place", {"path": str(file)}), Ports(Hosts())).apply(values())
    with pytest.raises(ConfigError, match="format"):
        make_consumer(ConsumerSpec("in-place", {"path": str(file), "format": "xml"}), Ports(Hosts()))


def test_a_file_without_either_value_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_bytes(b"{}")
    with pytest.raises(ConsumerChanged):
        make_consumer(ConsumerSpec("in-place", {"path": str(file)}), Ports(Hosts())).apply(values())


SECRET = st.text(st.sampled_from("abcXYZ0189-_.~+/="), min_size=10, max_size=20)


@settings(max_examples=80, deadline=None)
@given(SECRET, st.text(st.sampled_from("abcXYZ019-_.~+/=\"'\\$ #%é"), min_size=8, max_size=16))
def test_json_files_hold_the_new_value_wherever_they_held_the_old(old: str, new: str) -> None:
    import tempfile

    if old in new or new in old:
        return
    document = {"k": old, "n": [old, 1, {"u": f"s://u:{quote(old, safe='')}@h"}], "x": "é"}
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "x.json"
        file.write_text(json.dumps(document, indent=2))
        v = values(old.encode(), new.encode())
        try:
            make_consumer(ConsumerSpec("in-place", {"path": str(file)}), Ports(Hosts())).apply(v)
        except ConsumerChanged:
            raise
        except ConsumerError as error:
            assert new not in str(error)
            return
        assert json.loads(file.read_text()) == {"k": new, "n": [new, 1, {"u": f"s://u:{quote(new, safe='')}@h"}], "x": "é"}


# ---- the proposal


def guess(path: str, text: str, **parts: bytes) -> ConsumerSpec | None:
    return guess_consumer(path, {name: Secret(value) for name, value in parts.items()}, text.encode())


PART = OLD.decode()


@pytest.mark.parametrize(
    ("path", "text", "type", "set"),
    [
        ("/a/.env", f"TOKEN={PART}\n", "dotenv", {"TOKEN": "{secret}"}),
        ("/a/.env.production", f"U='db://u:{quote(PART, safe='')}@h'\n", "dotenv", {"U": "db://u:{secret|url}@h"}),
        ("/a/config.json", f'{{"a": {{"b.c": "Bearer {PART}"}}}}', "json", {'a."b.c"': "Bearer {secret}"}),
        ("/a/c.yml", f"a:\n- {PART}\n- '{{{PART}}}'\n", "yaml", {"a.0": "{secret}", "a.1": "{{{secret}}}"}),
        ("/a/c.toml", f"[a]\nk = '{PART}'\n", "toml", {"a.k": "{secret}"}),
        ("/a/.npmrc", f"//r.example/:_authToken={PART}\n", "ini", {'"//r.example/:_authToken"': "{secret}"}),
        ("/a/c.properties", f"a.b={PART}\n", "properties", {"a.b": "{secret}"}),
    ],
)
def test_a_consumer_of_the_files_format_is_proposed(path: str, text: str, type: str, set: dict[str, str]) -> None:
    spec = guess(path, text, secret=OLD)
    assert spec is not None
    assert (spec.type, spec.options["set"]) == (type, set)
    assert spec.options["path"] == path


def test_what_is_proposed_works(tmp_path: Path) -> None:
    for name, text in (
        (".env", f"A=1\nTOKEN={PART}\n"),
        ("x.json", json.dumps({"a": {"b.c": f"x {PART}"}})),
        ("x.properties", f"a.b={PART}\n"),
        (".npmrc", f"//r.example/:_authToken={PART}\n"),
        ("x.conf", f"pass {PART};\n"),
    ):
        file = tmp_path / name
        file.write_text(text)
        spec = guess(str(file), text, secret=OLD)
        assert spec is not None
        v = values(new=b"harmless-new-0123")
        consumer = make_consumer(spec, Ports(Hosts()))
        assert consumer.holds(v) is Holds.OLD, name
        consumer.apply(v)
        consumer.verify(v)
        assert file.read_text() == text.replace(PART, "harmless-new-0123")


def test_all_parts_are_proposed_together() -> None:
    spec = guess("/a/.env", f"DB_USER=app\nDB_PASSWORD={PART}\nNAME=app\n", username=b"app", password=OLD)
    assert spec is not None
    assert spec.options["set"] == {"DB_USER": "{username}", "DB_PASSWORD": "{password}"}
    url = guess("/a/.env", f"URL=pg://app:{quote(PART, safe='')}@h/app\n", username=b"app", password=OLD)
    assert url is not None
    assert url.options["set"] == {"URL": "pg://{username|url}:{password|url}@h/app"}


def test_profiles_of_aws_are_known() -> None:
    text = f"[prod]\naws_access_key_id = some-public-id\naws_secret_access_key = {PART}\n"
    spec = guess("/h/.aws/credentials", text, id=b"some-public-id", secret=OLD)
    assert spec == ConsumerSpec("aws-profile", {"path": "/h/.aws/credentials", "profile": "prod"})


@pytest.mark.parametrize("name", [".bashrc", "x.conf", ".netrc", "app.service"])
def test_other_configurations_are_changed_in_place(name: str) -> None:
    assert guess(f"/a/{name}", f"x {PART} y\n", secret=OLD) == ConsumerSpec("in-place", {"path": f"/a/{name}"})


def test_a_comment_or_a_broken_file_is_changed_in_place() -> None:
    assert guess("/a/.env", f"# {PART}\n", secret=OLD) == ConsumerSpec("in-place", {"path": "/a/.env"})
    broken = guess("/a/x.json", f'{{"a": "{PART}"', secret=OLD)
    assert broken == ConsumerSpec("in-place", {"path": "/a/x.json", "format": "text"})


@pytest.mark.parametrize(
    "path",
    [
        "/h/.bash_history", "/h/.zsh_history", "/a/app.log", "/a/logs/x.json", "/h/.claude/projects/x/1.jsonl", "/a/sessions/x.json",
        "/a/.env.bak", "/a/.env~", "/a/.env.example", "/a/transcript.json", "/a/main.py", "/a/README.md", "/a/x.sqlite", "/r/.git/config",
    ],
)  # fmt: skip
def test_records_and_unknown_files_are_never_proposed(path: str) -> None:
    assert guess(path, f"TOKEN={PART}\n", secret=OLD) is None


def test_a_file_without_the_value_and_a_binary_one_are_not_proposed() -> None:
    assert guess("/a/.env", "TOKEN=x\n", secret=OLD) is None
    assert guess("/a/.env", f"TOKEN={PART}\0\n", secret=OLD) is None
    assert guess("/a/.env", f"T={base64.b64encode(OLD).decode()}\n", secret=OLD) is None
