"""Streams objects out of one `git cat-file --batch`, with bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from keyward.errors import GitError
from keyward.scan.git_process import Child

GIVES_UP = 16
"""git ends at an object that is damaged and is started again after it; not more often than this without any answer."""


class Blob:
    """The content of one object, to be read before the next one is asked for; what was not read by then is gone.

    `missing`: there is nothing to read, and `problem` says why (only a remote has it, damaged, not a blob). `size`: in bytes.
    `kind`: `blob`, or where any kind was asked for what git says it is; empty if missing. Reading raises GitError where the
    object turns out to be damaged midway.
    """

    __slots__ = ("_left", "_stream", "id", "kind", "problem", "size")

    def __init__(self, id: str, size: int, problem: str = "", stream: _Stream | None = None, kind: str = "") -> None:
        self.id = id
        self.size = size
        self.problem = problem
        self.kind = kind
        self._stream = stream
        self._left = size if stream is not None else 0

    @property
    def missing(self) -> bool:
        return bool(self.problem)

    @property
    def chunks(self) -> Iterator[bytes]:
        """The rest of the content, in pieces of the size that git hands out."""
        while piece := self.read(1 << 20):
            yield piece

    def read(self, limit: int) -> bytes:
        """Up to `limit` bytes, at least one; none at the end."""
        if not self._left or self._stream is None:
            return b""
        piece = self._stream.take(min(limit, self._left))
        if not piece:
            self._left = 0
            raise GitError(f"object {self.id} is damaged: git ended before its content did", hint="Run: git fsck")
        self._left -= len(piece)
        return piece

    def unread(self) -> int:
        """Bytes of git's output that belong to this object and were not read: the rest, and the line feed after it."""
        return self._left + 1 if self._stream is not None else 0

    def everything(self) -> bytes:
        """The rest of the content in one piece."""
        held = self._stream.held(self._left) if self._stream is not None else None
        if held is None:
            return b"".join(self.chunks)
        self._left = 0
        return held


class _Stream:
    """git's output with one buffer in front."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._buffer = b""
        self._at = 0

    def take(self, limit: int) -> bytes:
        """Up to `limit` bytes; none only at the end."""
        if self._at >= len(self._buffer):
            self._buffer, self._at = self._child.read(), 0
        piece = self._buffer[self._at : self._at + limit]
        self._at += len(piece)
        return piece

    def held(self, count: int) -> bytes | None:
        """That many bytes if they are there already, which most objects are."""
        end = self._at + count
        if end > len(self._buffer):
            return None
        piece = self._buffer[self._at : end]
        self._at = end
        return piece

    def line(self) -> bytes | None:
        """Up to the next line feed, which is dropped. None if the output ends before it."""
        end = self._buffer.find(b"\n", self._at)
        while end < 0:
            more = self._child.read()
            if not more:
                return None
            held = self._buffer[self._at :]
            self._buffer, self._at = held + more, 0
            end = self._buffer.find(b"\n", len(held))
        line = self._buffer[self._at : end]
        self._at = end + 1
        return line

    def skip(self, count: int) -> bool:
        """Drops that many bytes; whether they were there."""
        while count:
            piece = self.take(count)
            if not piece:
                return False
            count -= len(piece)
        return True


def stream_blobs(ids: Sequence[str], start: Callable[[bytes], Child], *, any_kind: bool = False) -> Iterator[Blob]:
    """One Blob for each id, in their order. `start` starts `cat-file --batch --buffer` with the given input. `any_kind`: commits,
    tags and trees are answered as well, not as something that is no file's content.

    An object at which git gives up is answered as missing, and git is started again for those after it, so that one damaged
    object does not hide the others.
    """
    done = failures = 0
    while done < len(ids):
        child = start("".join(f"{id}\n" for id in ids[done:]).encode())
        try:
            stream = _Stream(child)
            for id in ids[done:]:
                header = stream.line()
                done += 1
                if header is None:  # git ended before it said anything about this one
                    child.wait()
                    failures += 1
                    if failures > GIVES_UP:
                        raise GitError(f"git cannot read objects: {_first_line(child.errors())}", hint="Run: git fsck")
                    yield Blob(id, 0, f"git cannot read it: {_first_line(child.errors())}")
                    break
                failures = 0
                blob = _blob(id, header, stream, any_kind)
                yield blob
                if not stream.skip(blob.unread()):  # git ended midway
                    break
            else:
                child.wait()
        finally:
            child.kill()


def _blob(id: str, header: bytes, stream: _Stream, any_kind: bool) -> Blob:
    words = header.decode("ascii", "replace").split(" ")
    if words[0] != id:
        raise GitError(f"git answered about another object than {id}")
    if words[1:] == ["missing"]:
        return Blob(id, 0, "not in this clone (a partial clone, or a damaged object)")
    kind, size = words[1], int(words[2])
    if kind == "blob" or any_kind:
        return Blob(id, size, "", stream, kind)
    stream.skip(size + 1)
    return Blob(id, 0, f"not a file's content but a {kind}")


def _first_line(text: str) -> str:
    return text.split("\n", 1)[0] or "no reason given"
