"""What a line in this process's log is about, as fields of its own: for ``extra=``.

The same names everywhere: ``run_id``, ``reactor``, ``event_id`` (of the trigger), ``partition``. Never a payload, and
nothing that a handler's error says, for that may quote one.
"""

from typing import TYPE_CHECKING

from farandole.projections.fold import Pair

from .shown import shown

if TYPE_CHECKING:
    from .dispatch import Work

Fields = dict[str, object]


def of_run(partition: int, run_id: bytes) -> Fields:
    """About a run."""
    return {"run_id": shown(run_id), "partition": partition}


def of_step(partition: int, run_id: bytes, pair: Pair) -> Fields:
    """About a step of a run, or about its next attempt."""
    return {
        **of_run(partition, run_id),
        "reactor": shown(pair.reactor),
        "event_id": shown(pair.trigger),
        "attempt": pair.attempts + 1,
    }


def of_work(work: "Work") -> Fields:
    """About an attempt."""
    return {**of_step(work.serving.fold.partition, work.run.id, work.pair), "attempt": work.attempt}
