"""Two services that both have a reactor of one name."""

from farandole.reactors import Choreography
from farandole.schemas import End, Start

one = Choreography("split", service="one")
two = Choreography("split", service="two")


class Begun(Start): ...


class Done(End): ...


@one.reactor(name="end")
async def end_one(begun: Begun) -> Done:
    return Done()


@two.reactor(name="end")
async def end_two(begun: Begun) -> Done:
    return Done()
