"""What records are called at the terminal; what has no words of its own is shown by its name and its fields."""

import pytest
from tests.projections.fold.log import a_head

from farandole.cli.told import Told
from farandole.cli.words import gist, mark, refusal, title
from farandole.eventstore import Stored
from farandole.projections.fold import Verdict
from farandole.schemas.envelope import Kind, unpack


def told(kind: Kind, type: bytes, content: dict[str, object] | None, verdict: Verdict = Verdict.ADMITTED) -> Told:
    record = Stored(0, 7, 1_000, b"run", None if content is None else b"value", a_head(kind, type=type))
    return Told(record, unpack(record.headers), verdict, content)


@pytest.mark.parametrize(
    ("kind", "type", "content", "sign", "words", "said"),
    [
        (Kind.PROGRESS, b"farandole.Progress", {"done": 0.5, "note": "half"}, "■", "Progress", "done=0.5  note=half"),
        (Kind.CLAIM, b"farandole.Claim", None, "■", "Claim", ""),
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
