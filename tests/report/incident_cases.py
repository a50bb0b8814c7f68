"""Incidents made by hand, for the tests of their reports. Nothing here looks like a real secret: a case never holds one."""

from __future__ import annotations

import hashlib
import random
from calendar import timegm

from keyward.model import incident as model
from keyward.model.incident import (
    Action,
    CredentialState,
    Drift,
    Event,
    Holder,
    Incident,
    LaneState,
    Leak,
    Note,
    Proof,
    Step,
    Todo,
    Where,
)
from keyward.model.kind import Manual

TITLES = {
    "github/pat-classic": "GitHub personal access token (classic)",
    "openrouter/api-key": "OpenRouter API key",
    "aws/access-key": "AWS access key",
    "postgres/url": "PostgreSQL connection URL",
    "telegram/bot-token": "Telegram bot token",
}

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
OPENED = float(timegm((2026, 11, 22, 3, 4, 10)))
MADE = OPENED + 3 * HOUR
OPERATOR = "ann@laptop"


def title_of(kind: str) -> str:
    """As a person calls it."""
    return TITLES.get(kind, kind)


def digest(number: int) -> str:
    """A digest that no file has."""
    return hashlib.sha256(str(number).encode()).hexdigest()


def leaks() -> tuple[Leak, ...]:
    """Five credentials, each of which ended otherwise."""
    env = Where("/home/you/bot/.env", 3, role="live-config", since=OPENED - 90 * DAY, since_from="mtime", gone=False)
    memory = Where(
        "/home/you/.openclaw/agents/main/sessions/7.jsonl", 212, "agents/openclaw", "message 12 (user)", "echo", OPENED - 61 * DAY, "message", gone=True
    )  # fmt: skip
    commit = Where("config/prod.env", 2, "", "", "live-config", OPENED - 214 * DAY, "commit", "c" * 40, "Ann", True)
    log = Where("/var/log/bot/app.log", 9120, "logs/files", "", "echo", OPENED - 3 * DAY, "mtime", gone=True)
    live, dead = model.LIVE, model.DEAD
    return (
        Leak("kw1_aaaa", "openrouter/api-key", "high", "sk-or-…4f (73)", "", "bot/openrouter", 1, OPENED - 61 * DAY, "message", live, dead, "until 9 USD", (memory, env, log), 14, 14, 0),
        Leak("kw1_bbbb", "aws/access-key", "critical", "…Zk (40)", "AKIA-EXAMPLE", "ops/aws", 1, OPENED - 214 * DAY, "commit", live, dead, "arn of user bot", (commit, log), 2, 2, 0),
        Leak("kw1_cccc", "telegram/bot-token", "high", "71…:AA…x (46)", "710000", "bot/telegram", 1, OPENED - 90 * DAY, "mtime", live, live, "@example_bot", (env,), 1, 1, 1),
        Leak("kw1_dddd", "postgres/url", "high", "(short value)", "", "reports/db", 2, OPENED - 3 * DAY, "mtime", model.UNKNOWN, "", "the server did not answer", (log,), 3, 3, 0),
        Leak("kw1_eeee", "github/pat-classic", "critical", "ghp_…x7 (40)", verdict=model.RESTRICTED, verdict_after=model.NOT_ASKED, places=(log,), total=1, before=1),
    )  # fmt: skip


def lanes() -> tuple[LaneState, ...]:
    """Four lanes in three tiers, one in every state."""
    at = OPENED + 21 * MINUTE
    return (
        LaneState("bot", 1, "production", model.STUCK, (
            CredentialState("bot/openrouter", "openrouter/api-key", True, "proved", "DONE", at),
            CredentialState("bot/telegram", "telegram/bot-token", True, "waits for a person", "ISSUE", at, "BotFather makes new tokens"),
            CredentialState("bot/mail", "generic/password"),
        ), ("dotenv ~/bot/.env", "systemd bot.service"), ("agent-7",)),
        LaneState("ops", 1, "production", model.REPLACED, (
            CredentialState("ops/aws", "aws/access-key", True, "proved", "DONE", at + 40),
        ), ("docker-env ops",), ("agent-7", "build-1")),
        LaneState("reports", 2, "production", model.BURNT, (
            CredentialState("reports/db", "postgres/url", True, "attested", "DONE", at + 90, "by ann"),
            CredentialState("reports/smtp", "generic/password", False, "proved", "DONE", at + 95),
        ), ("kubernetes reports",), ("cluster-a",)),
        LaneState("playground", 3, "staging", model.SAFE, (
            CredentialState("playground/openai", "openai/api-key"), CredentialState("playground/hf", "huggingface/token"),
        ), ("dotenv ~/play/.env",), ()),
    )  # fmt: skip


def actions() -> tuple[Action, ...]:
    """Twelve of them in five phases; one failed, one is uncertain, one was skipped."""

    def did(
        minute: float, phase: str, what: str, target: str = "", outcome: str = "done", took: float = 0.0, **more: object
    ) -> Action:
        start = OPENED + minute * MINUTE
        return Action(start, phase, what, OPERATOR, outcome, target, ended=start + took if took else 0.0)._replace(**more)

    copy = Proof("log copy", "evidence/var-log-bot.tar.age", digest(1), 81_230_114)
    snapshot = Proof("CreateInstanceSnapshot", detail="snap-example, NORMAL")
    probe = Proof("GET /api/v1/key at openrouter.ai", detail="401")
    return (
        did(0, "open", "case opened"),
        did(1, "contain", "hook", "pause-agents", took=2),
        did(1.5, "contain", "container stopped", "openclaw-gateway", took=11),
        did(2, "contain", "snapshot", "lhins-example", took=4 * MINUTE, proofs=(snapshot,)),
        did(
            6,
            "contain",
            "firewall locked down",
            "lhins-example",
            took=3,
            detail="SSH from 203.0.113.7 only; 6 rules kept for recovery",
        ),
        did(6.5, "contain", "logs copied", "/var/log/bot", took=40, proofs=(copy,)),
        did(9, "assess", "host scanned", "agent-7", took=95),
        did(12, "assess", "provider asked", "5 credentials", took=4),
        did(20, "eradicate", "rotated", "bot/openrouter", took=63, proofs=(probe,)),
        did(20, "eradicate", "rotated", "bot/telegram", "failed", detail="it waits for a person: BotFather has no API"),
        did(20.1, "eradicate", "rotated", "ops/aws", took=100),
        did(20.2, "eradicate", "rotated", "reports/db", "uncertain"),
        did(40, "recover", "scrubbed", "16 places", took=30),
        did(42, "recover", "consumer checked", "kubernetes reports", "skipped", detail="no check is configured"),
    )


def full() -> Incident:
    """A night with something of everything, seen three hours after it was opened."""
    steps = (
        Step("open", OPENED, OPENED + 1),
        Step("contain", OPENED + MINUTE, OPENED + 8 * MINUTE),
        Step("assess", OPENED + 9 * MINUTE, OPENED + 13 * MINUTE),
        Step("eradicate", OPENED + 20 * MINUTE, 0.0, ("bot/telegram waits for a person",)),
        Step("recover", OPENED + 40 * MINUTE, 0.0, ("1 place still holds a leaked credential",)),
    )
    evidence = (
        Proof("logs", "evidence/var-log-bot.tar.age", digest(1), 81_230_114),
        Proof("shell histories", "evidence/histories.tar.age", digest(2), 41_007),
    )
    telegram = Manual(
        ("Open a chat with @BotFather.", "Send /revoke and choose the bot.", "Copy the new token."), "https://t.me/BotFather"
    )
    return Incident(
        "agent-7 memory export",
        folder="~/.local/state/keyward/incidents/agent-7",
        host="laptop",
        actor=OPERATOR,
        opened=OPENED,
        contained=OPENED + 8 * MINUTE,
        assessed=OPENED + 13 * MINUTE,
        prepared=OPENED - 12 * DAY,
        retention=OPENED + 90 * DAY,
        reason="an agent's memory was exported to a public bucket",
        steps=steps,
        leaks=leaks(),
        lanes=lanes(),
        actions=actions(),
        notes=(Note(OPENED + 30 * MINUTE, OPERATOR, "The bucket is private again.\nIts access log was asked for."),),
        events=(
            Event(OPENED - 214 * DAY, "leak", "AWS access key", "config/prod.env"),
            Event(OPENED - 2 * DAY, "change", "authorized_keys", "a key was added"),
            Event(OPENED, "phase", "opened"),
        ),
        drift=(
            Drift("image", model.CHANGED, "ghcr.example/openclaw:latest", "another digest"),
            Drift("authorized_keys", model.ADDED, "/home/you/.ssh/authorized_keys", "SHA256:… (no comment)", True, OPENED - 2 * DAY),
        ),
        holders=(Holder("snapshot", "snap-nightly-1121", OPENED - DAY, "delete it once the incident is closed"),),
        todo=(
            Todo("bot/telegram", "It is still live, and Telegram has no API to replace it.", telegram, "keyward provide bot/telegram"),
            Todo("github/pat-classic ghp_…x7", "It is in no lane.", Manual(("Find its owner.", "Delete the token."), "https://github.com/settings/tokens")),
        ),
        evidence=evidence,
        not_looked_at=(("/home/you/.mozilla/logins.json", "encrypted by Firefox"), ("/var/lib/docker/overlay2", "no permission")),
        left=("1 credential is still live", "1 place still holds a leaked credential"),
        chain=True,
    )  # fmt: skip


def over() -> Incident:
    """One leak, all done and closed."""
    leak = leaks()[0]._replace(total=3, before=3)
    lane = lanes()[1]._replace(name="bot", credentials=(lanes()[0].credentials[0],))
    steps = tuple(Step(name, OPENED + n * 90, OPENED + n * 90 + 80) for n, name in enumerate(model.PHASES))
    return Incident(
        "leaked agent memory",
        opened=OPENED,
        contained=OPENED + 40,
        assessed=OPENED + 60,
        rotated=OPENED + 21 * MINUTE,
        recovered=OPENED + 30 * MINUTE,
        closed=OPENED + 40 * MINUTE,
        prepared=OPENED - DAY,
        steps=steps,
        leaks=(leak,),
        lanes=(lane,),
        chain=True,
    )


HOSTILE = {
    "script": "</script><script>document.title='owned'</script>",
    "image": "<img src=https://evil.example/x onerror=document.title='owned'>",
    "attribute": "\" onfocus=\"document.title='owned'\" autofocus x='",
    "style": "</style><style>*{display:none}</style>",
    "escape": "a\x1b[2K\r\x1b]0;owned\x07.txt",
    "newline": "a\n::add-mask::everything\r\n# Heading\n| x | y |",
    "bidi": "gpj.\u202eexe\u2066\u200f.py",
    "invisible": "a\u200b\ufeff\u2060\u3164b",
    "not_utf8": "caf\udce9/\udcff.env",
    "surrogate": "a\ud800b",
    "accents": "Z" + "\u0301\u0489" * 120,
    "long": "n" * 10_000,
    "markdown": "[click](https://evil.example) ![x](https://evil.example/x) `a|b` **b** <b>x</b> ||| @all",
    "address": "javascript:document.title='owned'",
    "comment": "--><!-- ]]> &lt; &#x202e;",
}
"""Names that things can have, each aimed at some reader of a report."""


def hostile(text: str) -> Incident:
    """A case with the text in every place that something from outside can reach."""
    where = Where(text, 1, text, text, text, OPENED, text, text, text, None)
    known = CredentialState("a/b", text, True, text, text, OPENED, text)
    manual = Manual((text,), text)
    leak = Leak(text, text, text, text, text, text, 1, OPENED - DAY, text, text, "", text, (where,), 1, 1, None)
    lane = LaneState(text, 1, text, model.BURNT, (known,), (text,), (text,))
    proof = Proof(text, text, text, 1, text)
    return Incident(
        text, text, text, text, OPENED, prepared=OPENED, reason=text,
        steps=(Step(text, OPENED, 0.0, (text,)),), leaks=(leak,), lanes=(lane,),
        actions=(Action(OPENED, text, text, text, text, text, text, OPENED + 1, (proof,)),), notes=(Note(OPENED, text, text),),
        events=(Event(OPENED, text, text, text),), drift=(Drift(text, text, text, text, True, OPENED),),
        holders=(Holder(text, text, OPENED, text),), todo=(Todo(text, text, manual, text),), evidence=(proof,),
        not_looked_at=((text, text),), left=(text,), chain=False, chain_problems=(text,),
    )  # fmt: skip


def large(number: int = 2000) -> Incident:
    """As many leaks, five places each, in eighty lanes, with as many actions; the same in every run."""
    chance = random.Random(5)
    kinds, found, every, done = list(TITLES), [], [], []
    for index in range(number):
        since = OPENED - chance.random() * 300 * DAY
        places = tuple(
            Where(f"/home/you/project-{index % 37}/logs/{n}/app-{index}.log", n * 17, "logs/files", "", "echo", since + n * HOUR, "mtime", gone=bool(n % 3))
            for n in range(5)
        )  # fmt: skip
        ref = f"lane-{index % 80}/key-{index}"
        verdict = (model.LIVE, model.DEAD, model.UNKNOWN)[index % 3]
        found.append(Leak(f"kw1_{index:08}", kinds[index % 5], "high", f"…{index:04} (40)", "", ref, 1 + index % 3, since, "mtime", verdict, model.DEAD if index % 7 else model.LIVE, "", places, 40, 40, index % 2))  # fmt: skip
        done.append(Action(OPENED + index, "eradicate", "rotated", OPERATOR, "failed" if index % 7 == 0 else "done", ref))
    for lane in range(80):
        refs = [leak for leak in found if leak.ref.startswith(f"lane-{lane}/")]
        held = tuple(CredentialState(leak.ref, leak.kind, True, "proved", "DONE", OPENED + HOUR) for leak in refs)
        every.append(
            LaneState(f"lane-{lane}", 1 + lane % 3, "production", model.REPLACED, held, ("dotenv ~/.env",), (f"host-{lane}",))
        )
    steps = (Step("open", OPENED, OPENED + 1), Step("eradicate", OPENED + 1, OPENED + number))
    return full()._replace(leaks=tuple(found), lanes=tuple(every), actions=tuple(done), steps=steps)
