"""Reading lanes, stores and providers: what is understood, what is refused, and with which words. And the JSON schema."""

from __future__ import annotations

import json
import math
import os
import tomllib
from pathlib import Path

import jsonschema
import pytest
from tests_support import token

from keyward.errors import ConfigError, UsageError
from keyward.flows.config_check import schema
from keyward.model.credential import Target
from keyward.model.lane import ConsumerSpec
from keyward.rotate import duration, reference_form
from keyward.rotate.lanes import load_lanes
from keyward.rotate.operator import Operator, Provider

WHOLE = """\
[stores.main]
type = "vault"
address = "https://vault.example:8200"
auth = { method = "approle", role_id = "abc", secret_id = "file:/etc/keyward/secret-id" }

[stores.desk]
type = "keyring"

[lanes.defaults]
store = "main"
path = "teams/{lane}/{name}"
rotate_every = { tier1 = "30d", tier3 = "never" }
approvals = 1

[lanes.defaults.approvers]
users = ["alice", "bob"]
allowed_signers = "/etc/keyward/allowed_signers"
valid = "4h"

[lanes.defaults.approvers.people]
alice = ["alice@example.org"]

[lanes.shop]
tier = 1
environment = "production"
approvals = 2
canary = true
rotate_every = "45d"

[[lanes.shop.credentials]]
name = "aws"
kind = "aws/access-key"
rotate_every = "60d"
expiry = "90d"
drain = "10m"
admin = { id = "env:ADMIN_ID", secret = "keyring:keyward/aws-admin" }
scope = { user = "shop", boundary = true }
depends_on = ["db", "tools/gitlab"]

[[lanes.shop.credentials]]
name = "db"
kind = "postgresql/password"
store = "desk"
path = "own/place"
[lanes.shop.credentials.target]
host = "db.example"
port = 5432
user = "shop"
database = "shop"
options = { tls_ca = "/etc/ca.pem" }

[[lanes.shop.consumers]]
type = "dotenv"
path = "/srv/shop/.env"
set = { AWS_SECRET_ACCESS_KEY = "{secret}" }
credentials = ["aws"]
host = "web1"
check = ["curl", "-f", "http://127.0.0.1/health"]

[lanes.tools]
[[lanes.tools.credentials]]
name = "gitlab"
kind = "gitlab/access-token"

[providers.gitlab]
base_url = "https://gitlab.example/"
rotate_every = "20d"
"""


def load(folder: Path, text: str, **more) -> Operator:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return load_lanes(str(path), **more)


def test_everything_that_can_be_said(tmp_path: Path) -> None:
    operator = load(tmp_path, WHOLE)
    shop = operator.lanes["shop"]
    assert (shop.tier, shop.environment, shop.approvals, shop.canary) == (1, "production", 2, True)
    aws, db = shop.entries
    assert (aws.ref, aws.kind, aws.store, aws.path) == ("shop/aws", "aws/access-key", "main", "teams/shop/aws")
    assert (aws.rotate_every, aws.expiry, aws.drain) == (60 * 86400, 90 * 86400, 600)
    assert aws.admin == {"id": "env:ADMIN_ID", "secret": "keyring:keyward/aws-admin"}
    assert aws.scope == {"user": "shop", "boundary": True} and aws.depends_on == ("shop/db", "tools/gitlab")
    assert (db.store, db.path) == ("desk", "own/place")
    assert db.target == Target("", "db.example", 5432, "shop", "shop", {"tls_ca": "/etc/ca.pem"})
    assert shop.consumers == (
        ConsumerSpec(
            "dotenv",
            {"path": "/srv/shop/.env", "set": {"AWS_SECRET_ACCESS_KEY": "{secret}"}},
            "web1",
            ("aws",),
            ("curl", "-f", "http://127.0.0.1/health"),
        ),
    )
    assert shop.consumers_of("aws") and not shop.consumers_of("db")
    tools = operator.lanes["tools"]
    assert tools.entries[0].target.base_url == "https://gitlab.example" and (tools.tier, tools.approvals) == (2, 1)
    assert operator.providers == {"gitlab": Provider("https://gitlab.example", 20 * 86400)}
    assert operator.rotate_every == {"shop": 45 * 86400, "tools": 0}
    assert operator.tier_rotate_every == {1: 30 * 86400, 3: math.inf}
    assert operator.stores["main"]["address"] == "https://vault.example:8200" and operator.default_store == "main"
    assert operator.approvers.users == ("alice", "bob") and operator.approvers.valid == 4 * 3600
    assert operator.approvers.people == {"alice": ("alice@example.org",)} and not operator.approvers.starter_counts
    assert [entry.ref for _, entry in operator.entries()] == ["shop/aws", "shop/db", "tools/gitlab"]
    assert operator.entry("shop/db") is db and operator.lane("shop") is shop
    for wrong in (lambda: operator.lane("shup"), lambda: operator.entry("shop/dbb")):
        with pytest.raises(UsageError) as caught:
            wrong()
        assert "Did you mean `shop" in caught.value.hint


def test_with_nothing_configured_there_is_an_agefile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYWARD_STATE", str(tmp_path / "state"))
    for operator in (load_lanes(None), load(tmp_path, "[lanes.x]\n[[lanes.x.credentials]]\nname = 'a'\nkind = 'a/b'\n")):
        assert operator.stores == {"agefile": {"type": "agefile", "file": str(tmp_path / "state" / "agefile.age")}}
        assert operator.default_store == "agefile"
    assert operator.lanes["x"].entries[0].store == "agefile" and operator.lanes["x"].entries[0].path == "lanes/x/a"


def test_canaries_come_first_in_their_tier(tmp_path: Path) -> None:
    text = "".join(
        f"[lanes.{name}]\ntier = {tier}\ncanary = {canary}\n[[lanes.{name}.credentials]]\nname = 'k'\nkind = 'a/b'\n"
        for name, tier, canary in (("a", 2, "false"), ("b", 2, "true"), ("c", 1, "false"))
    )
    assert [lane.name for lane, _ in load(tmp_path, text).entries()] == ["c", "b", "a"]


ENTRY = '[[lanes.x.credentials]]\nname = "a"\nkind = "aws/access-key"\n'
VALUE = token(5).decode()

WRONG = [
    # text, line, part of the message, part of the hint
    ("[lanes.x]\nteir = 1\n", 2, "a lane has no key `teir`", "`tier`"),
    ("[lanes.x]\ntier = 4\n", 2, "`tier` must be a whole number from 1 to 3", "tier = 2"),
    ("[lanes.x]\ntier = true\n", 2, "whole number", "tier = 2"),
    ("[lanes.x]\n\napprovals = -1\n", 3, "`approvals` must be", "approvals = 0"),
    ("[lanes.x]\ncanary = 'yes'\n", 2, "true or false", "without quotation"),
    ("[lanes.x]\nstore = 'mian'\n" + ENTRY + "[stores.main]\ntype = 'memory'\n", 2, "no such store", "`main`"),
    ("[lanes.x]\npath = '../{name}'\n" + ENTRY, 2, "`path` is not", "lanes/{lane}/{name}"),
    ("[lanes.x]\npath = '{team}/{name}'\n" + ENTRY, 2, "`path` is not", "lanes/{lane}/{name}"),
    ("[lanes.x]\npath = 'audit/{name}'\n" + ENTRY, 2, "keyward's own", "another path"),
    ("[lanes.x]\nrotate_every = '90'\n", 2, "must be a duration", '"90d"'),
    ("[lanes.x]\nrotate_every = 90\n", 2, "must be a duration", "never"),
    ("[lanes.'My Lane']\n", 1, "not of the form", "a-z"),
    ("[lanes]\nx = 1\n", 2, "`x` must be a table", "[lanes.x]"),
    ("[lanes.x]\n[lanes.x.credentials]\nname = 'a'\n", 2, "list of tables", "[[lanes.x.credentials]]"),
    ("[[lanes.x.credentials]]\nkind = 'a/b'\n", 1, "`name` is missing", "name ="),
    ("[[lanes.x.credentials]]\nname = 'A B'\nkind = 'a/b'\n", 2, "the name is not", "a-z"),
    ("[[lanes.x.credentials]]\nname = 'a'\n", 1, "`kind` is missing", "rules list"),
    ("[[lanes.x.credentials]]\nname = 'a'\nkind = 'aws'\n", 3, "provider/what", "rules list"),
    (ENTRY + ENTRY, 4, "already keeps x/a at this path", "path"),
    (ENTRY + "path = 'one'\n" + ENTRY + "path = 'two'\n", 6, "two credentials called `a`", "another name"),
    (ENTRY + "path = 'one'\n" + ENTRY.replace("lanes.x", "lanes.y") + "path = 'one'\n", 8, "keeps x/a at this path", "another `path`"),
    (ENTRY + "rotate_evry = '90d'\n", 4, "no key `rotate_evry`", "`rotate_every`"),
    (ENTRY + "drain = 'never'\n", 4, "`drain` must be a duration", "90d"),
    (ENTRY + "\n\n[[lanes.x.credentials]]\nname = 'b'\nkind = 'a/b'\nexpiry = 'soon'\n", 9, "`expiry` must be", "90d"),
    (ENTRY + "admin = 'env:X'\n", 4, "`admin` must be a table", "one reference a part"),
    (ENTRY + "admin = { secret = 'evn:X' }\n", 4, "`secret` holds something that is no reference", "env:NAME"),
    (ENTRY + "admin.id = 'env:X'\nadmin.secret = 'env:not a name'\n", 4, "of the form `env:`, and is none", "env:NAME"),
    (ENTRY + "[lanes.x.credentials.admin]\nid = 'env:X'\ntoken = 'plain'\n", 6, "`token` holds something", "env:NAME"),
    (ENTRY + "[lanes.x.credentials.target]\nprot = 5\n", 5, "`target` has no key `prot`", "`port`"),
    (ENTRY + "[lanes.x.credentials.target]\nport = 70000\n", 5, "`port` must be", "Write port"),
    (ENTRY + "target = { options = { password = 'x' } }\n", 4, "`password` holds something", "env:NAME"),
    (ENTRY + "depends_on = ['x/b']\n", 4, "names a credential that no lane has", "`x/a`"),
    (ENTRY + "depends_on = ['a']\n", 4, "in a circle: x/a > x/a", "Take one out"),
    (ENTRY + "[[lanes.x.consumers]]\npath = '/x'\n", 4, "`type` is missing", "dotenv"),
    (ENTRY + "[[lanes.x.consumers]]\ntype = 'dotenv'\ncredentials = ['b']\n", 6, "this lane does not have", "a"),
    (ENTRY + "[[lanes.x.consumers]]\ntype = 'gitlab-variable'\ntoken = 'x'\n", 6, "`token` holds something", "env:NAME"),
    ("[stores.a]\nurl = 'x'\n", 1, "`type` is missing", "vault"),
    ("[stores.a]\ntype = 'vualt'\n", 2, "unknown type of store", "`vault`"),
    ("[stores.a]\ntype = 'vault'\ntoken = 'x'\n", 3, "`token` holds something", "env:NAME"),
    ("[stores.a]\ntype = 'vault'\nauth = { secret_id = 'x' }\n", 3, "`secret_id` holds something", "env:NAME"),
    ("[stores.a]\ntype = 'memory'\n[stores.b]\ntype = 'memory'\n" + ENTRY, 5, "there are several", "a, b"),
    ("[providers.gitlab]\nurl = 'x'\n", 2, "a provider has no key `url`", "base_url"),
    ("[providers.gitlab]\nbase_url = 'http://gitlab.example'\n", 2, "not an https address", "https://"),
    ("[providers.gitlab]\nbase_url = 'gitlab.example'\n", 2, "not an https address", "https://"),
    ("[providers.gitlab]\nbase_url = 'https://a:b@gitlab.example'\n", 2, "holds a user name", "`admin`"),
    ("[providers.gitlab]\nbase_url = 'https://[x'\n", 2, "not a web address", "https://"),
    ("[lanes.defaults]\ntier = 1\n", 2, "`lanes.defaults` has no key `tier`", "rotate_every"),
    ("[lanes.defaults]\nrotate_every = { tier4 = '1d' }\n", 2, "no key `tier4`", "tier"),
    ("[lanes.defaults.approvers]\nstarter_count = true\n", 2, "no key `starter_count`", "`starter_counts`"),
    ("[lanes.defaults.approvers]\nfolder = 'here'\n", 2, "absolute path", "/etc/keyward"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "message", "hint"), WRONG)
def test_what_is_wrong_is_named_with_its_line_and_a_remedy(
    tmp_path: Path, text: str, line: int, message: str, hint: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert message in str(caught.value) and hint in caught.value.hint
    assert (caught.value.path, caught.value.line) == (str(tmp_path / "config.toml"), line)


@pytest.mark.parametrize(
    "text",
    [
        ENTRY + f"admin = {{ token = '{VALUE}' }}\n",
        ENTRY + f"admin = {{ token = 'env:{VALUE}!' }}\n",
        f"[stores.a]\ntype = 'vault'\ntoken = '{VALUE}'\n",
        f"[providers.a]\nbase_url = 'https://{VALUE}@x.example'\n",
        f"[lanes.x]\ntier = '{VALUE}'\n",
        ENTRY + f"scope = '{VALUE}'\n",
        ENTRY.replace("aws/access-key", VALUE),
        f"[lanes.x]\nstore = '{VALUE}'\n" + ENTRY,
    ],
)
def test_a_secret_by_mistake_is_not_repeated(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert VALUE not in str(caught.value) + caught.value.hint


def test_known_kinds(tmp_path: Path) -> None:
    assert load(tmp_path, ENTRY, kinds=["aws/access-key"]).lanes["x"]
    for text, near in (
        (ENTRY.replace("access-key", "acces-key"), "aws/access-key"),
        (ENTRY.replace("aws/", "asw/"), "aws/access-key"),
    ):
        with pytest.raises(ConfigError) as caught:
            load(tmp_path, text, kinds=["aws/access-key", "github/pat-classic"])
        assert near in caught.value.hint and caught.value.line == 3
    assert load(tmp_path, ENTRY.replace("aws/access-key", "user/mine"), kinds=["aws/access-key"])


def test_consumers_are_checked_by_whoever_knows_them(tmp_path: Path) -> None:
    seen: list[ConsumerSpec] = []

    def check(spec: ConsumerSpec) -> None:
        seen.append(spec)
        if spec.options.get("path") != "/ok":
            raise ConfigError("consumer dotenv: `path` is wrong", hint="Write /ok.")

    consumer = "[[lanes.x.consumers]]\ntype = 'dotenv'\npath = '{}'\n"
    load(tmp_path, ENTRY + consumer.format("/ok"), check_consumer=check)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, ENTRY + consumer.format("/ok") + consumer.format("/no"), check_consumer=check)
    assert caught.value.line == 7 and caught.value.hint == "Write /ok." and len(seen) == 3


def test_a_circle_over_lanes(tmp_path: Path) -> None:
    text = ENTRY + "depends_on = ['y/a']\n" + ENTRY.replace("lanes.x", "lanes.y") + "depends_on = ['x/a']\n"
    with pytest.raises(ConfigError, match=r"x/a > y/a > x/a"):
        load(tmp_path, text)
    many = "".join(f"[[lanes.x.credentials]]\nname = 'n{n}'\nkind = 'a/b'\ndepends_on = ['n{n + 1}']\n" for n in range(60))
    assert load(tmp_path, many + "[[lanes.x.credentials]]\nname = 'n60'\nkind = 'a/b'\n")


@pytest.mark.skipif(os.name == "nt", reason="permission bits")
def test_a_file_that_others_may_write_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("")
    path.chmod(0o620)
    with pytest.raises(ConfigError, match="others can change"):
        load_lanes(str(path))
    with pytest.raises(ConfigError, match="no such file"):
        load_lanes(str(tmp_path / "no.toml"))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90d", 90 * 86400.0), ("12h", 43200.0), (" 30m ", 1800.0), ("45s", 45.0), ("2w", 14 * 86400.0), ("never", None), ("0d", None),
     ("-1d", None), ("1.5d", None), ("d", None), ("", None), ("9" * 20 + "d", None), ("９d", None)],
)  # fmt: skip
def test_durations(text: str, seconds: float | None) -> None:
    assert duration.parse(text) == seconds


def test_durations_are_shown_as_they_are_written() -> None:
    assert [duration.show(s) for s in (90 * 86400, 43200, 1800, 45, 5400, math.inf)] == [
        "90d",
        "12h",
        "30m",
        "45s",
        "1.5h",
        "never",
    ]
    assert duration.parse("never", never=True) == duration.NEVER


REFERENCES = [
    "env:A_B",
    "keyring:keyward/aws",
    "vault:main/admin/aws#secret",
    "vault:admin",
    "file:/etc/x",
    "file:~/x",
    "exec:pass show x",
]
NO_REFERENCES = [
    "",
    "x",
    "env:",
    "env:1A",
    "env:A-B",
    "keyring:x",
    "keyring:/x",
    "vault:",
    "vault:a//b",
    "file:x",
    "exec:",
    "exec: x",
    "http://x",
    "file:/a\nb",
]


def test_the_form_of_references() -> None:
    assert [text for text in REFERENCES if reference_form.problem(text)] == []
    assert [text for text in NO_REFERENCES if not reference_form.problem(text)] == []
    for key in ("token", "password", "secret_id", "github_token", "api_key", "passphrase"):
        assert reference_form.wants_reference(key)
    for key in ("secret_path", "token_file", "role_id", "path", "ssh_key"):
        assert not reference_form.wants_reference(key)


def test_the_schema_takes_what_is_right_and_nothing_that_is_wrong(tmp_path: Path) -> None:
    rules = json.loads(schema())
    jsonschema.Draft202012Validator.check_schema(rules)
    validator = jsonschema.Draft202012Validator(rules)
    others = 'exclude = ["vendor/"]\npersona = "auditor"\n[limits]\nmax_file_size = "20 MB"\n'
    assert list(validator.iter_errors(tomllib.loads(others + WHOLE))) == []
    # what only a look over several places can tell is not for a schema
    beyond = ("keeps x/a", "two credentials", "no such store", "there are several", "no lane has", "in a circle", "does not have", "`path` is not", "keyward's own", "absolute path", "not a web address")  # fmt: skip
    missed = [
        message
        for text, _, message, _ in WRONG
        if not any(part in message for part in beyond) and validator.is_valid(tomllib.loads(text))
    ]
    assert missed == []
    for text in (*REFERENCES, *NO_REFERENCES[:6]):
        data = tomllib.loads(ENTRY)
        data["lanes"]["x"]["credentials"][0]["admin"] = {"token": text}
        assert validator.is_valid(data) == (text in REFERENCES), text
