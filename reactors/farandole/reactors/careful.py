"""Steps that are begun with care, because whoever had them before may have died of one: a few at a time, each claimed.

The first few come first; once all of them have survived, twice as many come next. So a step that kills its worker takes
few others with it, and the claims tell who was lost at what.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from farandole.projections.fold import Pair, Run

SURVIVED: Final = 10.0
"""Seconds after which a step at work counts as one that does not kill its worker."""
FEW: Final = 4
"""How many of those that were owed when the partition came are begun first."""
_SUSPECT: Final = 2
"""Losses from which on a step is begun alone."""


@dataclass(slots=True)
class _Begun:
    run: Run
    attempts: int
    until: float | None = None
    """When it has survived; None: its claim is not known to stand."""


class Careful:
    """A queue of steps to be claimed before they are begun.

    Args:
        few: how many come first.
        claim: claims one of them; False if it is not to be begun now.
        one: whether one claim that stands is enough, as a sign for whoever comes next that somebody was here.
        since: the loop time before which none comes.

    Attributes:
        since: the same; it may be put off.
        opened: whether that time has come, and is not put off any more.
    """

    def __init__(self, few: int, claim: Callable[[Run, Pair], bool], *, one: bool = False, since: float = 0.0) -> None:
        self._one = one
        self.since = since
        self.opened = False
        self._few = self._most = few
        self._claim = claim
        self._waiting: dict[Pair, Run] = {}
        self._batch: dict[Pair, _Begun] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting or self._batch)

    def add(self, run: Run, pair: Pair) -> None:
        """Let a step wait for its turn; for another one, if it had one and failed."""
        if not self._begun(pair):
            self._batch.pop(pair, None)
            self._waiting.setdefault(pair, run)

    def holds(self, pair: Pair) -> bool:
        """Whether a step is to be begun by its claim, and not before."""
        return pair in self._waiting or self._begun(pair)

    def claimed(self, pair: Pair, now: float) -> Sequence[tuple[Run, Pair]]:
        """A step's claim stands, so that it is begun; the others that need not wait any longer."""
        begun = self._batch.get(pair)
        if begun is None:
            return ()
        begun.until = now + SURVIVED
        if not self._one:
            return ()
        others = [(run, pair) for pair, run in self._waiting.items()]
        self._waiting.clear()
        self._batch.clear()
        return others

    def drop(self, pair: Pair) -> None:
        """A step is not begun here after all."""
        self._batch.pop(pair, None)

    def _begun(self, pair: Pair) -> bool:
        """Whether a step has had its turn, and that attempt is not over."""
        begun = self._batch.get(pair)
        return begun is not None and not _owed_no_more(pair, begun)

    def look(self, now: float) -> None:
        """Begin the next ones, if those before them have survived."""
        if now < self.since:
            return
        if self._batch:
            for pair, begun in tuple(self._batch.items()):
                if _owed_no_more(pair, begun) or (begun.until is not None and begun.until <= now):
                    del self._batch[pair]
            if self._batch:
                return
            self._most *= 2
        while self._waiting and len(self._batch) < self._most:
            pair, run = next(iter(self._waiting.items()))
            alone = pair.work is not None and pair.work.lost >= _SUSPECT
            if alone and self._batch:
                break
            del self._waiting[pair]
            begun = _Begun(run, pair.attempts)
            if not _owed_no_more(pair, begun) and self._claim(run, pair):
                self._batch[pair] = begun
                if alone:
                    break
        if not self:
            self._most = self._few


def _owed_no_more(pair: Pair, begun: _Begun) -> bool:
    """Whether a step is done, or at least this attempt at it."""
    return bool(pair.parked) or pair.attempts != begun.attempts or begun.run.owed.get(pair.key) is not pair
