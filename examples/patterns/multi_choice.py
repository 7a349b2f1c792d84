"""Multi-choice: some of several ways are taken. Each reactor says for itself whether it has something to do."""

from farandole.reactors import Choreography
from farandole.schemas import Event, Start

alarms = Choreography("alarms")


class AlarmRaised(Start):
    fire: bool = False
    hurt: int = 0


class EnginesSent(Event, wants_reactor=False): ...


class AmbulancesSent(Event, wants_reactor=False):
    count: int


class Logged(Event, wants_reactor=False): ...


@alarms.reactor
async def send_engines(alarm: AlarmRaised) -> EnginesSent | None:
    return EnginesSent() if alarm.fire else None


@alarms.reactor
async def send_ambulances(alarm: AlarmRaised) -> AmbulancesSent | None:
    return AmbulancesSent(count=alarm.hurt) if alarm.hurt else None


@alarms.reactor
async def keep_the_book(alarm: AlarmRaised) -> Logged:
    return Logged()
