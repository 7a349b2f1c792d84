"""The number of partitions is fixed when a log is made, for it decides in which one a run lives."""

from farandole.eventstore import StoreMisconfigured
from farandole.projections.fold import Fold


def refuse_grown(made_of: int | None, partitions: int) -> None:
    """Refuse a log that has another number of partitions than it was made with.

    Args:
        made_of: the number in its genesis; None if that was not read yet.
        partitions: the number it has.

    Raises:
        StoreMisconfigured: they differ.
    """
    if made_of is not None and made_of != partitions:
        raise StoreMisconfigured(
            f"the log was made with {made_of} partitions and now has {partitions}, so runs no longer hash to where they "
            "live. Make a new choreography (or topic) with the number wanted, and let the old one drain"
        )


def refuse_if_grown(fold: Fold) -> None:
    """`refuse_grown` for what a fold has read so far."""
    refuse_grown(fold.made_of, fold.partitions)
