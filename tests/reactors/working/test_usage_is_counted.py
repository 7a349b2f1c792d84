"""What steps and sub-steps used of models is counted by the worker that did them, by agent and model."""

from decimal import Decimal

from tests.reactors.working.controls import Stage, eventually

from farandole.reactors import Choreography, Step
from farandole.reactors.stats import MOST_USED, OTHER, UsageStats
from farandole.schemas import End, Start, Usage


class Asked(Start): ...


class Answered(End):
    usage: Usage


async def test_a_worker_counts_what_its_steps_used() -> None:
    desk = Choreography("desk")

    @desk.reactor
    async def answer(asked: Asked, step: Step) -> Answered:
        async def embed() -> Usage:
            return Usage(agent="embedder", model="small", input_tokens=5)

        await step.once("embed", embed)
        return Answered(usage=Usage(model="large", output_tokens=7, cost=Decimal("0.25")))

    async with Stage() as stage:
        worker = (await stage.worker(desk)).worker
        client = await stage.client(desk)
        for run_id in ("a", "b"):
            await (await client.start(Asked(), run_id=run_id)).result(Answered)
        await eventually(lambda: len(worker.stats.usage.by) == 2)
        used = worker.stats.usage.by
        assert used["answer", "large"]["picodollars"] == 5 * 10**11
        assert used["answer", "large"]["output"] == 14
        assert dict(used["embedder", "small"]) == {
            "calls": 2, "input": 10, "output": 0, "cache_read": 0, "cache_write": 0, "unpriced": 2,
        }  # fmt: skip


def test_however_many_models_events_name_there_are_no_more_labels_than_so_many() -> None:
    stats = UsageStats()
    for number in range(MOST_USED + 50):
        stats.add([Usage(model=f"model-{number}")], "answer")
    assert len(stats.by) == MOST_USED + 1
    assert stats.by[OTHER, OTHER]["calls"] == 50
