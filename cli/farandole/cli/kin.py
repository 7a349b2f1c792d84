"""What records of parents and children, and of messages between runs, are called at the terminal."""

from rich.text import Text

from farandole.projections.fold import Verdict
from farandole.schemas.envelope import Envelope, Flag, Kind
from farandole.schemas.kinship import CANCELLED, OUT_OF_TIME, PARKED, Birth, Judged, News

from .output import safe
from .told import Told

_FATES = {PARKED: "one of its steps failed", CANCELLED: "it was cancelled", OUT_OF_TIME: "it was out of time"}


def of_kin(e: Envelope) -> bool:
    """Whether a record is about a child, or about what one run told another."""
    bears = e.kind == Kind.OUTCOME and bool(e.flags & Flag.CHILD)
    return bears or e.kind in (Kind.CHILD_ENDED, Kind.CHILD_FAILED, Kind.DELIVERED)


def kin_title(told: Told, e: Envelope) -> Text:
    """What a record of that kind is, in a few words."""
    if e.kind == Kind.OUTCOME:
        birth = Birth.read(e.extra)
        return Text(f"child {_name(birth.type) if birth else ''}".rstrip(), style="blue")
    if e.kind == Kind.DELIVERED:
        judged = Judged.read(e.extra)
        fine = judged is None or judged.verdict < Verdict.UNREADABLE
        return Text("message delivered" if fine else "message refused", style="dim")
    news = News.read(e.extra)
    name = f": {_name(news.type)}" if news else ""
    if e.kind == Kind.CHILD_ENDED:
        return Text(f"child ended{name}", style="bold")
    return Text(f"child failed{name}", style="bold red" if told.admitted else "")


def kin_run(e: Envelope) -> str:
    """The child that a record is about, and what came of it; empty if it does not say."""
    if e.kind == Kind.OUTCOME:
        birth = Birth.read(e.extra)
        run = (birth.run_id or e.id) if birth else b""
        choreography = birth.choreography if birth else b""
        alone = " · goes its own way" if birth and birth.detach else ""
        return _run(choreography, run) + alone
    if e.kind == Kind.DELIVERED:
        return ""
    news = News.read(e.extra)
    if news is None:
        return ""
    fate = next((words for flag, words in _FATES.items() if news.flags & flag), "")
    return _run(news.choreography, news.run_id) + (f" · {fate}" if fate else "")


def _run(choreography: bytes, run: bytes) -> str:
    return safe("/".join(filter(None, (choreography.decode(errors="replace"), run.decode(errors="replace")))))


def _name(type: bytes) -> str:
    return safe(type.decode(errors="replace")).rpartition(".")[2]
