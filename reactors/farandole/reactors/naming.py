"""By which names the log knows what a parameter takes."""

from collections.abc import Iterator

from farandole.projections.fold import CHILD_DONE, CHILD_FAILED, FAILED
from farandole.schemas import EventTypes

from .annotations import Trigger

_CHILDREN = {"child_done": CHILD_DONE, "child_failed": CHILD_FAILED}


def names_of(trigger: Trigger, types: EventTypes) -> list[str]:
    """What a parameter takes, as in its contract, in alphabetical order.

    News of children go by short names, for a child's choreography is not known; failures are marked where they stand
    among other things, and alone they are named by what the failed step took.
    """
    return sorted(_names(trigger, types))


def _names(trigger: Trigger, types: EventTypes) -> Iterator[str]:
    for element in trigger.elements:
        prefix = _CHILDREN.get(element.form, b"").decode()
        if element.form == "failed" and trigger.form != "failed":
            prefix = FAILED.decode()
            if not element.events:
                yield prefix
        for event in element.events:
            name = types.wire_name(event)
            yield prefix + (name.rpartition(".")[2] if element.form in _CHILDREN else name)
