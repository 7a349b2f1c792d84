"""A child run."""

from collections.abc import Sequence
from typing import Any

from farandole.projections.fold import Pair
from farandole.reactors.event_flags import flags_of
from farandole.reactors.outputs import Child
from farandole.reactors.scribe import Scribe
from farandole.reactors.shown import text
from farandole.reactors.written import Part
from farandole.schemas import PayloadContext, event_info
from farandole.schemas.envelope import Flag
from farandole.schemas.ids import OUTSIDE, derived_id
from farandole.schemas.kinship import Birth

TYPE = b"farandole.Child"


def parts(scribe: Scribe, run_id: bytes, pair: Pair, index: int, item: Child[Any]) -> Sequence[Part]:
    """Its record, which is the one at ``index`` in its outcome.

    The start in it is written as it will stand in the child's log, so that whoever takes it there need not know it.
    """
    id = derived_id(pair.trigger, pair.reactor, pair.generation, index)
    start = type(item.start)
    types = scribe.others.of(item.choreography or "", start)
    name = types.wire_name(start)
    key = id if item.run_id is None else item.run_id.encode()
    context = PayloadContext(types.prefix, text(key), (OUTSIDE + id).decode(), name)
    value, schema, coded = types.encode(item.start, context)
    elsewhere = b"" if types.prefix == scribe.choreography else types.prefix.encode()
    birth = Birth(item.detach, elsewhere, b"" if item.run_id is None else key, name.encode())
    flags = int(Flag.CHILD) | flags_of(start) | (int(Flag.CODED) if coded else 0)
    deadline = event_info(start).deadline
    delay = int(deadline.total_seconds() * 1000) if deadline else 0
    return (Part(TYPE, value, schema, flags, delay, extra=birth.pack(), copied=True),)
