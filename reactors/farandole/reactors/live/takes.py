"""Which of the takes of a step is heard: the newest. Pure."""

from dataclasses import dataclass, field, replace

from .pieces import Live


@dataclass(slots=True)
class _Heard:
    take: str
    attempt: int
    next: int = 0
    replaced: set[str] = field(default_factory=set)


class Takes:
    """Tells what is to be shown of the pieces of many steps, each handed in in the order in which it is kept.

    A step may be begun anew: after a failure, or by another worker while the first one, taken for dead, goes on. The take
    that begins last replaces the others, and what comes of them from then on is dropped. What was said twice is shown
    once, and where something is missing the piece that follows says so.
    """

    def __init__(self) -> None:
        self._heard: dict[tuple[str, str, str], _Heard] = {}

    def shown(self, piece: Live) -> Live | None:
        """The piece as it is to be shown; None: not at all."""
        step = (piece.trigger, piece.reactor, piece.generation)
        heard = self._heard.get(step)
        if heard is None:
            heard = self._heard[step] = _Heard(piece.take, piece.attempt)
        elif piece.take != heard.take:
            if piece.take in heard.replaced or piece.attempt < heard.attempt:
                return None
            heard.replaced.add(heard.take)
            heard.take, heard.attempt, heard.next = piece.take, piece.attempt, 0
        if piece.index < heard.next:
            return None
        anew, missing = heard.next == 0, piece.index > heard.next
        heard.next = piece.index + 1
        return replace(piece, anew=anew, lost=piece.lost or missing)

    def forget(self, trigger: str, reactor: str, generation: str) -> None:
        """A step is done."""
        self._heard.pop((trigger, reactor, generation), None)
