"""A worker that was given no partition says what it waits for."""

import asyncio
import logging

import pytest

from farandole.reactors import Choreography
from farandole.schemas import End, Start

from .controls import Stage, virtual

WAITS = "no partition yet: other processes hold them all"


class Asked(Start): ...


class Answered(End): ...


def choreography() -> Choreography:
    dance = Choreography("dance")

    @dance.reactor
    async def answer(asked: Asked) -> Answered:
        return Answered()

    return dance


@virtual
async def test_it_says_so_before_the_session_of_somebody_silent_is_over(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "farandole.worker")
    async with Stage() as stage:
        await stage.worker(choreography(), member="one")
        await asyncio.sleep(20)
        assert WAITS not in caplog.text
        second = await stage.worker(choreography(), member="two", wait=False)
        await asyncio.sleep(2)
        assert WAITS not in caplog.text
        await asyncio.sleep(2)
        assert WAITS in caplog.text
        assert "stands by" not in caplog.text
        await asyncio.sleep(10)
        assert second.worker.ready
        assert "no partition is left for this worker; it stands by" in caplog.text


@virtual
async def test_it_says_nothing_of_the_kind_once_it_has_stopped(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "farandole.worker")
    async with Stage() as stage:
        await stage.worker(choreography(), member="one")
        second = await stage.worker(choreography(), member="two", wait=False)
        await asyncio.sleep(1)
        second.worker.stop()
        await second.task
        await asyncio.sleep(20)
        assert WAITS not in caplog.text
