"""What the fold asks of whoever writes a checkpoint of it while it goes on."""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .run import Run


class Saver(Protocol):
    """Saves the state of one prefix, a little at a time."""

    def before(self, run: "Run") -> None:
        """The run is about to change: save it now, if it is not saved yet."""

    def finish(self) -> None:
        """All runs are about to change: save what is left."""
