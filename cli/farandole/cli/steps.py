"""What the records of a step at work are called at the terminal, and which of them are news."""

from collections.abc import Sequence
from typing import Final

from rich.text import Text

from farandole.schemas.envelope import Envelope, Kind

from .output import safe
from .timeline import Moment
from .told import Told

OF_STEPS: Final = frozenset((Kind.CLAIM, Kind.LOST, Kind.PROGRESS, Kind.SUBSTEP))


def step_title(told: Told, e: Envelope) -> Text:
    """What one of them is, in a few words."""
    if e.kind == Kind.LOST:
        return Text(f"{told.reactor} lost its worker", style="red")
    if e.kind == Kind.CLAIM:
        return Text(f"{told.reactor} {'at work' if e.delay > 0 else 'let go of'}")
    if e.kind == Kind.SUBSTEP:
        return Text(f"{told.reactor} did {safe(e.extra.decode(errors='replace'))}")
    done = (told.content or {}).get("done")
    return Text(f"{told.reactor} {done:.0%}" if isinstance(done, float) else f"{told.reactor} goes on")


def step_gist(told: Told, e: Envelope) -> str:
    """What one of them says."""
    content = told.content or {}
    return str(content.get({Kind.LOST: "message", Kind.SUBSTEP: "result"}.get(Kind(e.kind), "note"), ""))


def policy_title(told: Told) -> Text:
    """Whom a policy stops, or lets go on."""
    content = told.content or {}
    who = safe(str(content.get("reactor") or "everything"))
    return Text(f"{who} {'stopped' if content.get('stopped') else 'goes on'}", style="magenta")


def renews(told: Told, held: dict[tuple[bytes, ...], bytes]) -> bool:
    """Whether a record only says anew that a worker is still at work.

    Args:
        held: who claimed which step so far; it is kept up to date.
    """
    e = told.envelope
    if e is None or not told.admitted or not e.causation:
        return False
    step = (told.record.key or b"", e.causation, e.reactor, e.generation)
    if e.kind == Kind.CLAIM and e.delay > 0:
        before, held[step] = held.get(step), e.extra
        return before == e.extra
    if e.kind in (Kind.CLAIM, Kind.LOST, Kind.FAILURE, Kind.OUTCOME):
        held.pop(step, None)
    return False


def worth_showing(moments: Sequence[Moment]) -> list[Moment]:
    """Without claims that were only renewed, and of what steps said of how far they are, the newest."""
    held: dict[tuple[bytes, ...], bytes] = {}
    newest = {_step(m): m for m in moments if _is(m, Kind.PROGRESS)}
    return [m for m in moments if not renews(m.told, held) and (not _is(m, Kind.PROGRESS) or newest[_step(m)] is m)]


def _is(moment: Moment, kind: Kind) -> bool:
    return moment.told.envelope is not None and moment.told.envelope.kind == kind


def _step(moment: Moment) -> tuple[bytes, ...]:
    e = moment.told.envelope
    return () if e is None else (e.causation, e.reactor, e.generation)
