"""Handlers that do not end, in threads that nobody can stop."""

import asyncio
import os
from pathlib import Path
from threading import Event

from farandole.reactors import Choreography
from farandole.schemas import End, Start

plain = Choreography("stuck", service="plain")
loose = Choreography("stuck", service="loose")


class Begun(Start): ...


class Ended(End): ...


def wait() -> None:
    (Path(os.environ["STUCK_MARKERS"]) / "begun").touch()
    Event().wait(60)


@plain.reactor
def hang(begun: Begun) -> Ended:
    wait()
    return Ended()


@loose.reactor(name="hang")
async def hang_elsewhere(begun: Begun) -> Ended:
    await asyncio.to_thread(wait)
    return Ended()
