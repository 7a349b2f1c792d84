"""Parallel split: one event, and several steps begin side by side. Whoever takes an event is owed it."""

from farandole.reactors import Choreography
from farandole.schemas import Event, Start

alarms = Choreography("alarms")


class AlarmRaised(Start):
    street: str


class PoliceSent(Event, wants_reactor=False):
    to: str


class AmbulanceSent(Event, wants_reactor=False):
    to: str


@alarms.reactor
async def send_police(alarm: AlarmRaised) -> PoliceSent:
    return PoliceSent(to=alarm.street)


@alarms.reactor
async def send_ambulance(alarm: AlarmRaised) -> AmbulanceSent:
    return AmbulanceSent(to=alarm.street)
