"""A closed file gets whole new content in its place, as `keyward.scrub.atomic` does for single spans: owner, mode, times and extended
attributes stay, and at any instant it is old or new.
"""

from __future__ import annotations

import os

from keyward.plugin.ports import Fence
from keyward.scrub.atomic import Changed, create_beside, make_alike, remove_beside, temporary_name, write_all
from keyward.scrub.fences import act
from keyward.scrub.holders import is_open_elsewhere
from keyward.scrub.open_file import OpenFile


def replace_content(file: OpenFile, content: bytes, fences: tuple[Fence, ...] = ()) -> None:
    """Puts the content in the file's place. Raises Changed where the file changed meanwhile or somebody has opened it, Refusal where the
    new one could not be made like the old one, OSError. The original is then as it was, and nothing is left beside it."""
    temporary = temporary_name(file.name)
    target = create_beside(file, temporary, fences)
    try:
        try:
            with act(fences, "write"):
                write_all(target, content)
            make_alike(file, target)
            with act(fences, "fsync file"):
                os.fsync(target)
            if not file.unchanged() or is_open_elsewhere(file.descriptor):  # whoever has it open would go on with the old one
                raise Changed
            with act(fences, "rename"):
                os.rename(temporary, file.name, src_dir_fd=file.folder, dst_dir_fd=file.folder)
        finally:
            os.close(target)
    except BaseException:
        remove_beside(file, temporary)
        raise
    with act(fences, "fsync folder"):
        os.fsync(file.folder)
