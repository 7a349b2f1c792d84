"""Policies of random logs."""

from typing import TYPE_CHECKING, Final

from farandole.projections.fold import Fold
from farandole.schemas.envelope import Header, Kind

from .maker import Maker

if TYPE_CHECKING:
    from flow.random_log import RandomLog

_REACTORS: Final = (b"", b"one", b"two", b"three", b"nobody")


def policy(log: "RandomLog", fold: Fold) -> tuple[bytes | None, bytes | None, list[Header]]:
    r = log._random
    reactor = r.choice(_REACTORS)
    number, _ = fold.stopped.get(reactor, (0, False))
    content = {
        "reactor": reactor.decode(), "stopped": r.random() < 0.5, "number": number + r.choice((1, 1, 1, 0)),
        "reason": "", "by": "",
    }  # fmt: skip
    return log._control(Kind.POLICY, content)


MAKERS: Final = (Maker(policy, 2, frozenset()),)
