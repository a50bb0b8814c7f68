"""The rotators of keys that a person makes keep the contract: `keyward provide` is killed and resumed like everything else."""

from __future__ import annotations

from contextlib import AbstractContextManager

from contract_worlds import FakeWorld, anthropic, github_token

from keyward.testing.rotator_contract import RotatorContract


class TestAnthropic(RotatorContract):
    """Keys that are stopped and archived."""

    def world(self, folder: str) -> AbstractContextManager[FakeWorld]:
        return anthropic()


class TestGitHubToken(RotatorContract):
    """Tokens that are killed by their value."""

    def world(self, folder: str) -> AbstractContextManager[FakeWorld]:
        return github_token()


del RotatorContract  # or pytest would collect it
