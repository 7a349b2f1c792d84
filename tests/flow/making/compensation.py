"""Ends that undo what was done, contracts of reactors that are undone, and retries with another input."""

from typing import TYPE_CHECKING, Any

from farandole.projections.fold import Fold
from farandole.schemas.envelope import Flag, Header, Kind
from farandole.schemas.ids import derived_id

from .maker import Maker

if TYPE_CHECKING:
    from flow.random_log import RandomLog

Written = tuple[bytes | None, bytes | None, list[Header]]


def undoing(log: "RandomLog", fold: Fold) -> Written:
    """An outcome whose End undoes."""
    key, (trigger, reactor, generation), _ = log._pair(fold)
    flags = log._random.choice((Flag.END | Flag.COMPENSATE, Flag.END | Flag.FINAL_END | Flag.COMPENSATE))
    headers = log._headers(
        Kind.OUTCOME, derived_id(trigger, reactor, generation, 0), log._random.choice((b"t.A", b"t.B")), count=1,
        flags=int(flags), causation=trigger, reactor=reactor, generation=generation,
    )  # fmt: skip
    return key, b"", headers


def edited(log: "RandomLog", fold: Fold) -> Written:
    """A retry of a parked step with another input."""
    r, key = log._random, log._key(fold)
    run = fold.runs.get(key)
    parked = sorted((p for p in run.owed.values() if p.parked), key=lambda p: p.key) if run else []
    more: dict[str, Any] = {"not_after": log._time + r.randrange(-1, 40), "flags": int(Flag.EDITED)}
    type = b"t.A"
    place = r.choice((0, 0, 0, 1))
    if parked:
        pair = r.choice(parked)
        more["causation"] = pair.parked
        type = pair.types[place] if place < len(pair.types) and r.random() < 0.9 else b"t.B"
    more["extra"] = r.choice((*[bytes((place, 2)) + b"mewhy"] * 8, b"", bytes((place, 7)) + b"me"))
    return key, b"", log._headers(Kind.RETRY, log._id(), type, **more)


UNDOING = Maker(undoing, 2, frozenset())
EDITED = Maker(edited, 3, frozenset())
