"""What is deployed: three services, each in several versions, as their choreographies."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from farandole.reactors import Choreography, Retry
from farandole.reactors.service import types_of
from farandole.schemas import EventTypes, Start

from . import events as e
from . import handlers as h

ATTEMPTS: Final = 4
RETRY: Final = Retry(attempts=ATTEMPTS, first="500ms", factor=2, most="3s")
Handler = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Version:
    """One release of a service."""

    service: str
    number: int
    choreography: Choreography
    types: EventTypes


def _release(service: str, number: int, reactors: Mapping[str, Handler]) -> Version:
    choreography = Choreography(e.NAME, service=service, version=str(number))
    for name, handler in reactors.items():
        ordered = name in ORDERED
        of = "risk" if name == "mend" else None
        choreography.reactor(name=name, retry=RETRY, ordered=ordered, of=of)(handler)
    choreography.know(e.Cut, e.Recut)
    choreography.load()
    return Version(service, number, choreography, types_of(choreography))


ORDERED: Final = frozenset(("serve", "write"))
_MILL: Final[Mapping[str, Handler]] = {
    "cut": h.cut,
    "sweep": h.sweep,
    "fork": h.fork,
    "merge": h.merge,
    "mend": h.mend,
    "deal": h.deal,
    "halt": h.halt,
    "ring_up": h.ring_up,
}
_SHOP: Final[Mapping[str, Handler]] = {"paint": h.paint, "burn": h.burn, "tell": h.tell, "left": h.left, "turn": h.turn, "secure": h.secure,
         "serve": h.serve, "write": h.write}  # fmt: skip
_YARD: Final[Mapping[str, Handler]] = {"pack": h.pack, "scrap": h.scrap, "right": h.right, "close": h.close, "risk": h.risk, "tally": h.tally,
         "finish": h.finish, "recall": h.recall, "waste": h.waste, "ring": h.ring}  # fmt: skip

_WITHOUT_SWEEP: Final[Mapping[str, Handler]] = {name: handler for name, handler in _MILL.items() if name != "sweep"}
_WITHOUT_TELL: Final[Mapping[str, Handler]] = {name: handler for name, handler in _SHOP.items() if name != "tell"}
RELEASES: Final[Mapping[str, tuple[Version, ...]]] = {
    # the second takes a reactor away, adds one and changes what a join takes; the third only changes an output
    "mill": (
        _release("mill", 1, _MILL),
        _release("mill", 2, {**_WITHOUT_SWEEP, "watch": h.watch, "merge": h.merge_three}),
        _release("mill", 3, {**_MILL, "cut": h.recut}),
    ),
    # the second takes one more type; the third takes another type instead
    "shop": (
        _release("shop", 1, _SHOP),
        _release("shop", 2, {**_WITHOUT_TELL, "paint": h.paint_both, "count": h.count, "mourn": h.mourn}),
        _release("shop", 3, {**_SHOP, "paint": h.paint_recut}),
    ),
    "yard": (
        _release("yard", 1, _YARD),
        _release("yard", 2, {**_YARD, "inspect": h.watch, "recount": h.count}),
    ),
}
COMPLETE: Final = {
    "mill": _release("mill", 9, {**_MILL, "watch": h.watch}),
    "shop": _release("shop", 9, {**_SHOP, "paint": h.paint_both, "count": h.count, "mourn": h.mourn}),
    "yard": _release("yard", 9, {**_YARD, "inspect": h.watch, "recount": h.count}),
}
"""What an operator deploys in the end with ``take_over``: it serves all that was ever declared."""

STARTS: Final[tuple[type[Start], ...]] = (
    e.LineBegun, e.ForkBegun, e.LoopBegun, e.RiskBegun, e.DealBegun, e.NotesBegun, e.HaltBegun, e.RingBegun,
)  # fmt: skip


def _for_clients() -> EventTypes:
    known = Choreography(e.NAME)
    known.know(*STARTS, e.Note, e.NotesClosed)
    return types_of(known)


CLIENT_TYPES: Final = _for_clients()
