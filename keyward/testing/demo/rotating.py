"""The second act: two credentials of a shop have leaked; they are adopted, replaced, and shown to be dead."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

from keyward.testing.demo.stage import DemoFailed, Stage, changes, masked, record
from keyward.testing.demo.world import AWS_USER, Key, World

FILES = (".env", "compose.yml")
KINDS = {"aws/access-key": "aws", "postgresql/password": "database"}


def rotating(stage: Stage) -> None:
    """Starts the servers, rotates, shows what came of it. Raises DemoFailed, ServerMissing, ServerFailed."""
    stage.heading("3. Real servers on this machine: OpenBao, PostgreSQL, and moto in place of AWS")
    with World(stage.folder) as world:
        stage.variables.update(world.variables)
        stage.say(f"OpenBao     {world.bao.url}   keeps the lane's credentials")
        stage.say(f"PostgreSQL  {world.postgres.host}:{world.postgres.port}          role {world.database.name} of the shop")
        stage.say(f"AWS (moto)  {world.moto.url}   IAM user {AWS_USER} with the key {world.aws.name}")
        before = {name: world.read(name) for name in FILES}
        _show_files(stage, world, before)
        report = _find(stage)
        _adopt(stage, report)
        stage.heading("6. What would be done")
        stage.type("plan", "--leaked", "report.jsonl")
        stage.heading("7. Replace what leaked")
        stage.type("rotate", "--leaked", "report.jsonl", "--yes")
        _show_result(stage, world, before)
        _show_proof(stage, world)
        stage.heading("10. What was written down")
        stage.type("audit", "show")
        stage.type("audit", "verify")
    stage.say("\nThe servers are stopped and their folders are gone.")


def _show_files(stage: Stage, world: World, before: dict[str, bytes]) -> None:
    for name in FILES:
        stage.say(f"\nshop/{name} (secrets are masked here, not in the file)")
        for line in before[name].splitlines():
            stage.say(f"    {masked(line)}")
    stage.say("\nconfig.toml, the operator's: references, no values")
    with open(world.config, encoding="utf-8") as file:
        for text in file.read().splitlines():
            stage.say(f"    {text.replace(stage.folder, '…')}")


def _find(stage: Stage) -> dict[str, str]:
    """The fingerprints that the scan reports, by kind."""
    stage.heading("4. Both stand in the open")
    stage.type("scan", "shop", "--format", "jsonl", "-o", "report.jsonl", code=1)
    with open(os.path.join(stage.folder, "report.jsonl"), encoding="utf-8") as file:
        findings = [found for found in map(json.loads, file) if found["type"] == "finding"]
    for each in findings:
        stage.say(f"{each['fingerprint']}  {each['kind']:<20}  {each['locator']['path']}:{each['line']}")
    found = {each["kind"]: each["fingerprint"] for each in findings}
    if set(found) != set(KINDS):
        raise DemoFailed(f"the scan found {', '.join(sorted(found)) or 'nothing'}")
    return found


def _adopt(stage: Stage, found: dict[str, str]) -> None:
    stage.heading("5. Take them into the lane `shop`, and make what the lane needs")
    for kind in KINDS:
        stage.type("lanes", "adopt", found[kind], "--lane", "shop", "--report", "report.jsonl")
    stage.type("lanes", "provision", "shop", "--yes")


def _show_result(stage: Stage, world: World, before: dict[str, bytes]) -> None:
    stage.heading("8. The files that use them, and the lane in the store")
    for name in FILES:
        stage.say(f"shop/{name}")
        for line in changes(before[name], world.read(name)):
            stage.say(f"    {line}")
        stage.say()
    stage.say("OpenBao says, without being asked for a value:")
    rows = [("PATH", "VERSION", "OLD, DESTROYED", "PUBLIC ID")]
    rows += [(path, version, gone, labels.get("keyward_public_id", "")) for path, version, gone, labels in world.stored()]
    for row in rows:
        stage.say("    " + "  ".join(cell.ljust(width) for cell, width in zip(row, (26, 7, 14, 0))).rstrip())


def _show_proof(stage: Stage, world: World) -> None:
    """Asks both servers with the old and the new values. Raises DemoFailed where one is not as it should be."""
    stage.heading("9. Asked directly: is the old one dead, and the new one alive?")
    aws, database = world.held("aws"), world.held("database")
    new_aws, new_database = Key(aws["id"], aws["secret"]), Key(database["user"], database["secret"])
    record("new-aws-secret", new_aws.secret)
    record("new-database-password", new_database.secret)
    _compare(world, new_aws, new_database)
    wrong = [
        *_asked(stage, "AWS", world.ask_aws, world.aws, new_aws),
        *_asked(stage, "PostgreSQL", world.ask_database, world.database, new_database),
    ]
    if wrong:
        raise DemoFailed(f"not as it should be: {', '.join(wrong)}")


def _compare(world: World, aws: Key, database: Key) -> None:
    """What the store holds must be what the files have."""
    there = (f"={aws.secret}\n".encode() in world.read(".env"), f":{database.secret}@".encode() in world.read("compose.yml"))
    if not all(there):
        raise DemoFailed("a file does not have what the store holds")


def _asked(stage: Stage, server: str, ask: Callable[[Key], str], old: Key, new: Key) -> list[str]:
    """Says how both fare; answers with what is wrong."""
    wrong = []
    for which, key, wanted in (("old", old, False), ("new", new, True)):
        answer = ask(key)
        state = f"ALIVE  {answer}" if answer else "DEAD   refused"
        stage.say(f"{server:<11} {which}  {key.name:<20}  {state}")
        if bool(answer) != wanted:
            wrong.append(f"the {which} one at {server}")
    return wrong
