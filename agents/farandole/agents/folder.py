"""A folder that large content is kept in: a volume that all workers share."""

import os
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from farandole.reactors.disk import names_to_disk


@dataclass(frozen=True)
class Folder:
    """A file for each content, named by its digest. Written whole or not at all, and on disk before it is referred to.

    Attributes:
        path: of the folder. It is made if it is not there. All workers must see the same one.
    """

    path: str | Path

    def put(self, reference: str, content: bytes) -> None:
        """Keep something for good."""
        target = self._file(reference)
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}.{uuid4().hex}")  # of one file system, so that a rename is one act
        try:
            with beside.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(target)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        for folder in (target.parent, target.parent.parent):  # the names in it are what a loss of power would lose
            names_to_disk(folder)

    def get(self, reference: str) -> bytes:
        """What was put.

        Raises:
            FileNotFoundError: it is not there.
        """
        return self._file(reference).read_bytes()

    def _file(self, reference: str) -> Path:
        digest = reference.removeprefix("sha256:")
        return Path(self.path) / digest[:2] / digest
