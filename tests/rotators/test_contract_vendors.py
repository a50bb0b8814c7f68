"""The rotators of OpenRouter, GitLab and GitHub keep the contract, against stateful fakes."""

from __future__ import annotations

from contextlib import AbstractContextManager

from contract_worlds import FakeWorld, deploy_key, gitlab, installation, openrouter

from keyward.testing.rotator_contract import RotatorContract


class TestOpenRouter(RotatorContract):
    def world(self, folder: str) -> AbstractContextManager[FakeWorld]:
        return openrouter()


class TestGitLab(RotatorContract):
    """A new token beside the old one."""

    def world(self, folder: str) -> AbstractContextManager[FakeWorld]:
        return gitlab()


class TestGitLabInPlace(RotatorContract):
    """The old one dies when the new one is made, and asking again with it would kill both."""

    def world(self, folder: str) -> AbstractContextManager[FakeWorld]:
        return gitlab("rotate")


class TestDeployKey(RotatorContract):
    """GitHub deploy keys: the value is ours, and so is the key pair."""

    def world(self, folder: str) -> AbstractContextManager[FakeWorld]:
        return deploy_key()


class TestInstallationToken(RotatorContract):
    """GitHub App installation tokens: nobody lists them, and an hour ends them."""

    stride = 4

    def world(self, folder: str) -> AbstractContextManager[FakeWorld]:
        return installation()
