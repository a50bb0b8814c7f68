"""The rotators of OpenAI's service account keys and admin keys keep the contract, against the stateful fake."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from contract_worlds import FakeWorld, parts

from keyward.plugin.clock import ManualClock, SystemClock
from keyward.testing.fakes.openai import FakeOpenAI
from keyward.testing.rotator_contract import RotatorContract


def alive(fake: FakeOpenAI) -> set[str]:
    """The keys that are not refused."""
    return {key.value for key in fake.keys.values() if key.refused_from is None}


@contextmanager
def openai() -> Iterator[FakeWorld]:
    with FakeOpenAI(clock=ManualClock(SystemClock().now())) as fake:
        project = fake.make_project("lanes")
        account = fake.make_account(project, "keyward-prod-key")
        old = fake.make_key("service_account", project.id, account.id)
        # somebody else's key on the same account: only the mark tells ours from theirs
        other = fake.make_key("service_account", project.id, account.id, "theirs")

        yield FakeWorld(
            fake,
            "openai/service-account-key",
            parts(secret=old.value),
            parts(secret=fake.admin.value),
            lambda: alive(fake),
            {other.value, fake.admin.value},
            scope={"project": project.id},
        )


@contextmanager
def openai_admin() -> Iterator[FakeWorld]:
    """An admin key that another one replaces."""
    with FakeOpenAI(clock=ManualClock(SystemClock().now())) as fake:
        old, other = fake.make_key("admin", name="lane"), fake.make_key("admin", name="theirs")

        yield FakeWorld(
            fake,
            "openai/admin-key",
            parts(secret=old.value),
            parts(secret=fake.admin.value),
            lambda: alive(fake),
            {other.value, fake.admin.value},
        )


class TestOpenAI(RotatorContract):
    stride = 3  # of what is only read; the engine's own worlds are killed at every instant

    def world(self, folder: str) -> AbstractContextManager[FakeWorld]:
        return openai()


class TestOpenAIAdmin(RotatorContract):
    def world(self, folder: str) -> AbstractContextManager[FakeWorld]:
        return openai_admin()
