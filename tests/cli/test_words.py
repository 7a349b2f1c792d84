"""What records are called at the terminal; what has no words of its own is shown by its name and its fields."""

import pytest
from tests.projections.fold.log import a_head

from farandole.cli.steps import worth_showing
from farandole.cli.timeline import Moment
from farandole.cli.told import Told
from farandole.cli.words import gist, mark, refusal, title
from farandole.eventstore import Stored
from farandole.projections.fold import Verdict
from farandole.schemas.envelope import Flag, Kind, unpack
from farandole.schemas.kinship import CANCELLED, Birth, Judged, News


def told(kind: Kind, type: bytes, content: dict[str, object] | None, verdict: Verdict = Verdict.ADMITTED) -> Told:
    head = a_head(
        kind, type=type, reactor=b"pay", causation=b"x1", extra=b"page 1", delay=30_000
    )  # fmt: skip
    record = Stored(0, 7, 1_000, b"run", None if content is None else b"value", head)
    return Told(record, unpack(record.headers), verdict, content)


@pytest.mark.parametrize(
    ("kind", "type", "content", "sign", "words", "said"),
    [
        (Kind.PROGRESS, b"farandole.Progress", {"done": 0.5, "note": "half"}, "■", "pay 50%", "half"),
        (Kind.PROGRESS, b"farandole.Progress", None, "■", "pay goes on", ""),
        (Kind.CLAIM, b"farandole.Claim", None, "■", "pay at work", ""),
        (Kind.LOST, b"farandole.Failure", {"message": "gone"}, "✗", "pay lost its worker", "gone"),
        (Kind.SUBSTEP, b"farandole.Substep", {"result": "[1]"}, "■", "pay did page 1", "[1]"),
        (
            Kind.POLICY,
            b"farandole.Policy",
            {"reactor": "", "stopped": True, "reason": "fire"},
            "■",
            "everything stopped",
            "fire",
        ),
        (Kind.POLICY, b"farandole.Policy", {"reactor": "pay", "stopped": False, "reason": ""}, "■", "pay goes on", ""),
        (
            Kind.SCHEDULE,
            b"farandole.SchedulePaused",
            {"by": "ann", "reason": "the mail server moves"},
            "■",
            "SchedulePaused",
            "the mail server moves",
        ),
        (Kind.TIMER, b"orders.Reminded", {"n": 1}, "▶", "Reminded", "n=1"),
        (Kind.ANSWER, b"news.Approved", {"by": "ann"}, "▶", "Approved", "by=ann"),
        (Kind.ANSWER, b"news.Approved", {"by": "", "comment": "", "n": 1}, "▶", "Approved", "n=1"),
    ],
)
def test_every_kind_of_record_can_be_shown(
    kind: Kind, type: bytes, content: dict[str, object] | None, sign: str, words: str, said: str
) -> None:
    record = told(kind, type, content)
    assert (mark(record).plain, title(record).plain, gist(record)) == (sign, words, said)


HOME = News(0, 2, 7, b"", b"till-1", b"", b"takings.TillCounted")


@pytest.mark.parametrize(
    ("kind", "flags", "extra", "words", "said"),
    [
        (Kind.OUTCOME, Flag.CHILD, Birth(False, b"", b"till-1", b"takings.ShopClosed"), "child ShopClosed", "till-1  n=1"),
        (
            Kind.OUTCOME,
            Flag.CHILD,
            Birth(True, b"kitchen", b"", b"kitchen.Cooking"),
            "child Cooking",
            "kitchen/0123 · goes its own way  n=1",
        ),
        (Kind.CHILD_ENDED, 0, HOME, "child ended: TillCounted", "till-1  n=1"),
        (Kind.CHILD_FAILED, 0, HOME._replace(flags=CANCELLED), "child failed: TillCounted", "till-1 · it was cancelled  n=1"),
        (Kind.DELIVERED, 0, Judged(0, 7), "message delivered", "n=1"),
        (Kind.DELIVERED, 0, Judged(Verdict.TOO_DEEP, 7), "message refused", "n=1"),
    ],
)  # fmt: skip
def test_what_runs_tell_each_other_is_shown_in_words(
    kind: Kind, flags: int, extra: Birth | News | Judged, words: str, said: str
) -> None:
    head = a_head(
        kind,
        type=b"farandole.Any",
        id=b"0123" if kind == Kind.OUTCOME else b"x0123",
        causation=b"x1",
        extra=extra.pack(),
        flags=flags,
    )
    record = Told(Stored(0, 7, 1_000, b"run", b"value", head), unpack(head), Verdict.ADMITTED, {"n": 1})
    assert (title(record).plain, gist(record)) == (words, said)


def test_of_news_only_the_reason_is_shown() -> None:
    for why in ("no time", ""):
        content = {"error": why, "cancelled": True, "verdict": 0, "failure": ""}
        head = a_head(Kind.CHILD_FAILED, type=b"farandole.ChildFailed", extra=HOME._replace(flags=CANCELLED).pack())
        record = Told(Stored(0, 7, 1_000, b"run", b"value", head), unpack(head), Verdict.ADMITTED, content)
        assert gist(record) == f"till-1 · it was cancelled{'  ' * bool(why)}{why}"


@pytest.mark.parametrize("verdict", [v for v in Verdict if v.refused])
def test_every_refusal_has_words(verdict: Verdict) -> None:
    assert "_" not in refusal(verdict)
    assert gist(told(Kind.TIMER, b"orders.Reminded", None, verdict)) == f"refused: {refusal(verdict)}"


def test_claims_that_are_renewed_and_progress_that_went_on_are_not_told_again() -> None:
    claim, progress = told(Kind.CLAIM, b"c", None), [told(Kind.PROGRESS, b"p", {"done": n / 3}) for n in range(3)]
    failure = told(Kind.LOST, b"f", {"message": ""})
    shown = [claim, progress[0], claim, progress[1], failure, claim, progress[2], claim]
    assert [m.told for m in worth_showing([Moment(t, 0) for t in shown])] == [claim, failure, claim, progress[2]]
