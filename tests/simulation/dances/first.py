"""What steps, joins, signals and failures are enough for: a line, a fork, a loop, a risk, a deal, notes, a ring, a halt."""

from collections.abc import Mapping
from typing import Final

from simulation import events as e
from simulation import handlers as h

from .dance import Dance, Handler, Reacting

_MILL: Final[Mapping[str, Handler | Reacting]] = {
    "cut": h.cut,
    "sweep": h.sweep,
    "fork": h.fork,
    "merge": h.merge,
    "mend": Reacting(h.mend, {"of": "risk"}),
    "deal": h.deal,
    "halt": h.halt,
    "ring_up": h.ring_up,
}
_SHOP: Final[Mapping[str, Handler | Reacting]] = {
    "paint": h.paint,
    "burn": h.burn,
    "tell": h.tell,
    "left": h.left,
    "turn": h.turn,
    "secure": h.secure,
    "serve": Reacting(h.serve, {"ordered": True}),
    "write": Reacting(h.write, {"ordered": True}),
}
_YARD: Final[Mapping[str, Handler | Reacting]] = {
    "pack": h.pack,
    "scrap": h.scrap,
    "right": h.right,
    "close": h.close,
    "risk": h.risk,
    "tally": h.tally,
    "finish": h.finish,
    "recall": h.recall,
    "waste": h.waste,
    "ring": h.ring,
}
_WITHOUT_SWEEP: Final = {name: handler for name, handler in _MILL.items() if name != "sweep"}
_WITHOUT_TELL: Final = {name: handler for name, handler in _SHOP.items() if name != "tell"}

FIRST: Final = Dance(
    "first",
    starts={
        e.LineBegun: lambda _: {},
        e.ForkBegun: lambda _: {},
        e.LoopBegun: lambda chance: {"turns": chance.randrange(5)},
        e.RiskBegun: lambda _: {},
        e.DealBegun: lambda _: {},
        e.NotesBegun: lambda _: {},
        e.HaltBegun: lambda _: {},
        e.RingBegun: lambda _: {},
    },
    known=(e.Cut, e.Recut, e.Note, e.NotesClosed),
    releases={
        # the second takes a reactor away, adds one and changes what a join takes; the third only changes an output
        "mill": (
            _MILL,
            {**_WITHOUT_SWEEP, "watch": h.watch, "merge": h.merge_three},
            {**_MILL, "cut": h.recut},
        ),
        # the second takes one more type; the third takes another type instead
        "shop": (
            _SHOP,
            {**_WITHOUT_TELL, "paint": h.paint_both, "count": h.count, "mourn": h.mourn},
            {**_SHOP, "paint": h.paint_recut},
        ),
        "yard": (_YARD, {**_YARD, "inspect": h.watch, "recount": h.count}),
    },
    complete={
        "mill": {**_MILL, "watch": h.watch},
        "shop": {**_SHOP, "paint": h.paint_both, "count": h.count, "mourn": h.mourn},
        "yard": {**_YARD, "inspect": h.watch, "recount": h.count},
    },
)
