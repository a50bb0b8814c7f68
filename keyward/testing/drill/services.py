"""The services of a drill: OpenBao, PostgreSQL, Redis, moto and the model vendors' local servers, started side by side."""

from __future__ import annotations

import logging  # noqa: F401  # before any thread forks: its locks are taken around a fork only once it is there
import threading
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from keyward.testing.fakes.anthropic import FakeAnthropic
from keyward.testing.fakes.gitlab import FakeGitLab
from keyward.testing.fakes.openai import FakeOpenAI
from keyward.testing.fakes.openrouter import FakeOpenRouter
from keyward.testing.fakes.tencent import FakeTencent
from keyward.testing.servers.moto import Moto
from keyward.testing.servers.openbao import OpenBao
from keyward.testing.servers.postgresql import PostgreSQL
from keyward.testing.servers.redis import Redis

MOUNT = "secret"


class Services:
    """Use it as a context manager. Raises ServerMissing for one that is not installed, ServerFailed for one that does not start."""

    def __init__(self) -> None:
        self.bao, self.postgres, self.redis, self.moto = OpenBao(), PostgreSQL(), Redis(), Moto()
        self.openrouter, self.openai, self.anthropic = FakeOpenRouter(), FakeOpenAI(), FakeAnthropic()
        self.gitlab, self.tencent = FakeGitLab(), FakeTencent()
        self._stack = ExitStack()

    def __enter__(self) -> Services:
        try:
            slow = [self._stack.enter_context(_Kept(each)) for each in (self.moto, self.postgres, self.bao, self.redis)]
            for fake in (self.openrouter, self.openai, self.anthropic, self.gitlab, self.tencent):
                self._stack.enter_context(fake)
            for each in slow:
                each.wait()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def addresses(self) -> list[tuple[str, str]]:
        """Names and addresses, for people."""
        return [
            ("OpenBao", self.bao.url),
            ("PostgreSQL", f"{self.postgres.host}:{self.postgres.port}"),
            ("Redis", f"{self.redis.host}:{self.redis.port}"),
            ("moto (AWS)", self.moto.url),
            ("Tencent Cloud*", self.tencent.url),
            ("OpenAI*", self.openai.url),
            ("OpenRouter*", self.openrouter.url),
            ("Anthropic*", self.anthropic.url),
            ("GitLab*", self.gitlab.url),
        ]


class _Kept:
    """One server, entered and left by a thread of its own that lives as long as the server: on Linux the kernel ends a server with the
    thread that started it."""

    def __init__(self, server: AbstractContextManager[Any]) -> None:
        self._server, self._error = server, None
        self._up, self._leave = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._hold, daemon=True)

    _error: BaseException | None

    def __enter__(self) -> _Kept:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._leave.set()
        self._thread.join()

    def wait(self) -> None:
        """Until it is up. Raises what it raised."""
        self._up.wait()
        if self._error is not None:
            raise self._error

    def _hold(self) -> None:
        try:
            with self._server:
                self._up.set()
                self._leave.wait()
        except BaseException as error:
            self._error = error
        finally:
            self._up.set()
