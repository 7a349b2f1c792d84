"""A run each night at two, Paris time. The schedule is data in the log: any worker may publish its ticks, none leads."""

from farandole.reactors import Choreography
from farandole.schemas import End, Start

greetings = Choreography("greetings")


class NightFell(Start):
    place: str


class Greeted(End):
    text: str


greetings.schedule(NightFell(place="Arles"), name="nightly", cron="0 2 * * *", tz="Europe/Paris")


@greetings.reactor
async def greet(night: NightFell) -> Greeted:
    return Greeted(text=f"Good night, {night.place}!")
