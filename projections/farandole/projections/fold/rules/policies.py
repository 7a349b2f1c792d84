"""What may be begun in the partition."""

from typing import TYPE_CHECKING

from farandole.eventstore import Stored
from farandole.projections.fold.applied import Applied
from farandole.projections.fold.verdict import Verdict
from farandole.schemas import system_records
from farandole.schemas.envelope import Envelope

if TYPE_CHECKING:
    from farandole.projections.fold.fold import Fold


def policy(fold: "Fold", record: Stored, e: Envelope, out: Applied) -> Verdict:
    """Compare and set: it counts on from the one in force. It binds what is begun, never what is admitted."""
    content = system_records.POLICY.decode(record.value)
    reactor = content["reactor"].encode()
    if reactor and fold.contracts.get(reactor) is None:
        return Verdict.NO_CONTRACT
    number, _ = fold.stopped.get(reactor, (0, False))
    if content["number"] != number + 1:
        return Verdict.SUPERSEDED
    fold.stopped[reactor] = (number + 1, content["stopped"])
    out.other().policies = True
    return Verdict.ADMITTED
