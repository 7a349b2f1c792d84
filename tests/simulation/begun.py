"""What must not be so when a worker begins a step, by what that worker has read."""

from collections.abc import Iterator

from farandole.reactors.dispatch import Work


def begun_wrongly(holder: bytes, work: Work) -> Iterator[str]:
    """What is wrong with it.

    Args:
        holder: what the worker is called in its claims.
    """
    what = f"{work.reactor.name} in {work.run.id.decode()}"
    fold, claim = work.serving.fold, work.pair.work
    if work.run.paused:
        yield f"{what}, which was paused"
    if any(fold.stopped.get(name, (0, False))[1] for name in (b"", work.pair.reactor)):
        yield f"{what}, whose reactor was stopped"
    if claim is not None and claim.holder and claim.holder != holder:
        if claim.until >= fold.log_time:
            yield f"{what}, while another held it"
        else:
            yield f"{what}, though nobody had said that the worker which claimed it was lost"
