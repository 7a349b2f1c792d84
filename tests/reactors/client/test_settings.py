"""Settings are changed in every partition, by compare and set, and seen in force."""

import asyncio

import pytest
from tests.reactors.working.controls import Begun, Done, Stage, virtual

from farandole.reactors import Choreography
from farandole.reactors.errors import SettingRefused
from farandole.reactors.settings import in_force, put_in_force, raise_version
from farandole.schemas.envelope import Kind


def a_dance() -> Choreography:
    dance = Choreography("dance")

    @dance.reactor
    async def end(begun: Begun) -> Done:
        return Done()

    return dance


@virtual
async def test_a_setting_comes_into_force_in_every_partition() -> None:
    dance = a_dance()
    async with Stage(partitions=3) as stage:
        client = await stage.client(dance)
        assert await put_in_force(client, "kept", 7, why="few", by="ann") == 3
        assert (await in_force(client)).settings["kept"] == (7,)
        assert await put_in_force(client, "kept", 7) == 0
        assert len((await stage.fold(dance)).of(Kind.SETTING)) == 3


@virtual
async def test_two_who_change_it_at_once_both_see_one_of_their_values() -> None:
    dance = a_dance()
    async with Stage(partitions=2) as stage:
        clients = [await stage.client(dance) for _ in range(2)]
        done = await asyncio.gather(
            *(put_in_force(client, "kept", n + 1) for n, client in enumerate(clients)), return_exceptions=True
        )
        assert all(isinstance(each, int | SettingRefused) for each in done)
        (value,) = (await in_force(clients[0])).settings["kept"]
        assert value in (1, 2)


@virtual
async def test_what_is_no_setting_is_refused() -> None:
    dance = a_dance()
    async with Stage() as stage:
        client = await stage.client(dance)
        with pytest.raises(ValueError, match="there is no setting 'keep'"):
            await put_in_force(client, "keep", 7)
        with pytest.raises(ValueError, match="not negative"):
            await put_in_force(client, "kept", -7)
        with pytest.raises(ValueError, match="this release knows fold versions up to"):
            await raise_version(client, 99)
        assert await raise_version(client, 1) == 0
