"""What records are called at the terminal; what has no words of its own is shown by its name and its fields."""

import pytest
from tests.projections.fold.log import a_head

from farandole.cli.steps import worth_showing
from farandole.cli.timeline import Moment
from farandole.cli.told import Told
from farandole.cli.words import gist, mark, refusal, title
from farandole.eventstore import Stored
from farandole.projections.fold import Verdict
from farandole.schemas.envelope import Kind, unpack


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
        (Kind.TIMER, b"orders.Reminded", {"n": 1}, "▶", "Reminded", "n=1"),
        (Kind.ANSWER, b"news.Approved", {"by": "ann"}, "▶", "Approved", "by=ann"),
    ],
)
def test_every_kind_of_record_can_be_shown(
    kind: Kind, type: bytes, content: dict[str, object] | None, sign: str, words: str, said: str
) -> None:
    record = told(kind, type, content)
    assert (mark(record).plain, title(record).plain, gist(record)) == (sign, words, said)


@pytest.mark.parametrize("verdict", [v for v in Verdict if v.refused])
def test_every_refusal_has_words(verdict: Verdict) -> None:
    assert "_" not in refusal(verdict)
    assert gist(told(Kind.TIMER, b"orders.Reminded", None, verdict)) == f"refused: {refusal(verdict)}"


def test_claims_that_are_renewed_and_progress_that_went_on_are_not_told_again() -> None:
    claim, progress = told(Kind.CLAIM, b"c", None), [told(Kind.PROGRESS, b"p", {"done": n / 3}) for n in range(3)]
    failure = told(Kind.LOST, b"f", {"message": ""})
    shown = [claim, progress[0], claim, progress[1], failure, claim, progress[2], claim]
    assert [m.told for m in worth_showing([Moment(t, 0) for t in shown])] == [claim, failure, claim, progress[2]]
