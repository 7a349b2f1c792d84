"""What a release has once made of a log, every later one makes of it.

A test that fails here says that the fold has other rules now, by which logs that are out there have another meaning. Such
rules need a fold version of their own, and hold from its record on (`docs/protocol.md`, section 4).
"""

from pathlib import Path
from unittest.mock import patch

import pytest

from checker import Catalogue, Raw
from checker import Fold as CheckersFold
from farandole.projections.fold import KNOWN_VERSION, Verdict, admission
from farandole.schemas.envelope import Kind
from simulation.catalogue import CATALOGUE
from simulation.off_in_framing import as_they_come
from simulation.recording import FOLDER, Recorded, made_of

LOGS = sorted(FOLDER.glob("*.jsonl.xz"))


@pytest.fixture(scope="module", params=LOGS, ids=lambda path: path.name.removesuffix(".jsonl.xz"))
def recorded(request: pytest.FixtureRequest) -> Recorded:
    path: Path = request.param
    return Recorded.read(path)


def test_there_is_a_log_for_the_fold_version_that_is_known() -> None:
    assert KNOWN_VERSION in {Recorded.read(path).fold_version for path in LOGS}


def test_the_fold_makes_of_it_what_it_made_when_it_was_recorded(recorded: Recorded) -> None:
    transcripts = recorded.fold()
    made = made_of(transcripts)
    places = [f"{record.partition}/{record.offset}" for record in recorded.records]
    others = [
        f"{place}: {was}, now {now}" for place, was, now in zip(places, recorded.made, made, strict=True) if was != now
    ]
    assert others[:5] == []
    assert tuple(transcript.fold.digest for transcript in transcripts) == recorded.digests


def test_so_does_the_checker(recorded: Recorded) -> None:
    folds = [CheckersFold(p, recorded.partitions, Catalogue(CATALOGUE)) for p in range(recorded.partitions)]
    verdicts = [folds[record.partition].take(Raw(*record)).name for record in recorded.records]
    assert verdicts == [made.split()[0] for made in recorded.made]
    assert tuple(fold.digest for fold in folds) == recorded.digests


def test_much_of_what_can_happen_is_in_them() -> None:
    transcripts = [transcript for path in LOGS for transcript in Recorded.read(path).fold()]
    lines = [line for transcript in transcripts for line in transcript.lines]
    kinds = {line.envelope.kind for line in lines if line.envelope and line.verdict is Verdict.ADMITTED}
    # There is no second version yet that could come into force. What is done to a schedule says who did it, and has no
    # effect on a fold.
    assert set(Kind) - kinds == {Kind.VERSION, Kind.SCHEDULE}
    assert len({line.verdict for line in lines}) > 15


def test_other_rules_are_noticed(recorded: Recorded) -> None:
    with patch.dict(admission.RUN_RULES, {Kind.OUTCOME: as_they_come}):
        assert made_of(recorded.fold()) != recorded.made
