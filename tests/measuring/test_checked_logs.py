"""The checker looks at what a benchmark left behind."""

from benchmarks import chain_app as app
from benchmarks.checked import broken_promises_in
from benchmarks.starts import append_all, starts

from farandole.eventstore import connect
from farandole.schemas import EventTypes


async def test_a_run_that_did_not_end_is_a_broken_promise() -> None:
    async with await connect("memory://left-behind", app.chain.name) as store:
        assert await broken_promises_in(store) == []
        await append_all(store, starts(EventTypes(app.chain.name, app.EVENTS), store, 3))
        assert len(await broken_promises_in(store)) >= 3
