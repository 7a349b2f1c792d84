"""Retiring a reactor goes on when the log takes nothing for a while, or leaves the fate of an append unknown."""

from typing import cast

import pytest
from tests.reactors.working.controls import Begun, Breakable, Done, a_stage, eventually, virtual

from farandole.eventstore import NotAppended
from farandole.reactors import Choreography
from farandole.reactors.retire import retire

PARTITIONS = 4


def a_dance() -> Choreography:
    dance = Choreography("dance", service="steps")

    @dance.reactor
    async def step(begun: Begun) -> Done:
        return Done()

    return dance


@virtual
async def test_an_append_that_fails_or_may_have_failed_is_made_again() -> None:
    async with a_stage(a_dance(), partitions=PARTITIONS) as (_, client, at_work):
        await eventually(lambda: all(serving.served for serving in at_work.worker.partitions.values()))
        store = cast(Breakable, client.store)
        store.refuse, store.doubt = 2, 2
        done = await retire(client, "step", drop=False)
        assert (store.refuse, store.doubt) == (0, 0)
        assert done.partitions == PARTITIONS
        assert (await retire(client, "step", drop=False)).partitions == 0


@virtual
async def test_after_half_a_minute_it_says_what_is_wrong() -> None:
    async with a_stage(a_dance(), partitions=PARTITIONS) as (_, client, at_work):
        await eventually(lambda: all(serving.served for serving in at_work.worker.partitions.values()))
        cast(Breakable, client.store).refuse = 100_000
        with pytest.raises(NotAppended):
            await retire(client, "step", drop=False)
