"""The clean room: an empty git folder of our own, through which a foreign index and foreign objects are read.

git takes its configuration from the git folder. So the repository's own folder is not given to it when content is read:
git sees a folder with a configuration of a few lines, and learns from its environment where the index and the objects are.
Whatever the repository's configuration says (file system monitor, filters, promisor remotes, includes, extensions), it
is never opened; nothing can be run, nothing can be fetched, and an object that only a remote holds is simply missing. This
holds for every version of git, while each single setting would have to be known to be turned off. Replacement refs and
`info/attributes` stay outside as well, and the folder's owner is never asked for. The commit graph is turned off: it lies among the
objects, says which parents and trees commits have, and is believed without a look at the commits.
"""

from __future__ import annotations

import os

from keyward.errors import GitError
from keyward.scan.git_process import hardened_environment

_CONFIG = {
    "sha1": b"[core]\n\trepositoryformatversion = 0\n\tbare = true\n\tcommitGraph = false\n",
    "sha256": b"[core]\n\trepositoryformatversion = 1\n\tbare = true\n\tcommitGraph = false\n[extensions]\n\tobjectFormat = sha256\n",
}

_SHARED_INDEX = "sharedindex."


class Room:
    """A context manager: makes the folder, answers the environment for git, and takes the folder away again.

    `shallow`: the commits whose parents a shallow clone does not have, one id a line; without them git would miss the parents.
    """

    def __init__(
        self, object_format: str, objects: str, index: str, git_dir: str, alternates: str, shallow: bytes = b""
    ) -> None:
        if object_format not in _CONFIG:
            raise GitError(f"the object format {object_format!r} is not known", hint="Update keyward.")
        self._format = object_format
        self._git_dir = git_dir
        self._shallow = shallow
        self._variables = {"GIT_OBJECT_DIRECTORY": objects, "GIT_INDEX_FILE": index}
        if alternates:
            self._variables["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = alternates
        self._path = ""

    def __enter__(self) -> dict[str, str]:
        try:
            self._path = _new_folder()
            os.mkdir(os.path.join(self._path, "refs"), 0o700)
            self._write("HEAD", b"ref: refs/heads/none\n")
            self._write("config", _CONFIG[self._format])
            if self._shallow:
                self._write("shallow", self._shallow)
            self._bring_shared_index()
        except OSError as error:
            self.__exit__()
            raise GitError(
                f"no temporary folder can be made: {error.strerror}", hint="Set TMPDIR to a folder that is writable."
            ) from None
        return hardened_environment(GIT_DIR=self._path, **self._variables)

    def __exit__(self, *exception: object) -> None:
        if not self._path:
            return
        try:
            with os.scandir(self._path) as entries:
                for entry in entries:
                    (os.rmdir if entry.is_dir(follow_symlinks=False) else os.unlink)(entry.path)
            os.rmdir(self._path)
        except OSError:  # an empty folder in the temporary one is no reason to fail
            pass
        self._path = ""

    def _write(self, name: str, content: bytes) -> None:
        descriptor = os.open(os.path.join(self._path, name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(descriptor, content)
        finally:
            os.close(descriptor)

    def _bring_shared_index(self) -> None:
        """A split index names a second file, which git looks for in the git folder."""
        for name in os.listdir(self._git_dir):
            if name.startswith(_SHARED_INDEX):
                source, target = os.path.join(self._git_dir, name), os.path.join(self._path, name)
                try:
                    os.symlink(source, target)
                except OSError:  # Windows, without the right to make links
                    with open(source, "rb") as file:
                        self._write(name, file.read())


def _new_folder() -> str:
    """Like `tempfile.mkdtemp`, whose import costs more than this whole scan."""
    named = [os.environ.get(variable, "") for variable in ("TMPDIR", "TEMP", "TMP")]
    problem: OSError = FileNotFoundError(2, "no folder for temporary files")
    for base in [*named, "/tmp", "/var/tmp"]:
        if os.path.isabs(base):
            path = os.path.join(base, f"keyward-git-{os.urandom(8).hex()}")
            try:
                os.mkdir(path, 0o700)
            except OSError as error:
                problem = error
            else:
                return path
    raise problem
