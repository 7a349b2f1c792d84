"""What a loss of power would take."""

import os
from pathlib import Path


def names_to_disk(folder: Path) -> None:
    """Return once the names in a folder are on disk: who has written a file has that alone there."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
