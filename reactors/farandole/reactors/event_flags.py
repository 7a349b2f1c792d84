"""What a declared event says of itself in the flags of its records."""

from farandole.schemas import Event, event_info
from farandole.schemas.envelope import Flag


def flags_of(event: type[Event]) -> int:
    """What the fold must know of an event beyond its name."""
    info = event_info(event)
    flags = Flag(0)
    if info.kind == "end":
        flags |= Flag.END
        flags |= Flag.FINAL_END if info.final else Flag(0)
        flags |= Flag.COMPENSATE if info.compensate else Flag(0)
    if not info.wants_reactor or info.kind == "end":
        flags |= Flag.NO_REACTOR
    return int(flags)
