"""Duties that look around once in a while, one after the other."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from farandole.eventstore import AppendError, StoreError

from .duty import Duty

if TYPE_CHECKING:
    from farandole.reactors.partition import Serving

log = logging.getLogger("farandole.keeper")

ROUND: Final = 1.0
"""Seconds between two rounds, unless told otherwise."""


class Look(Protocol):
    """One of these duties."""

    async def look(self, partitions: "Mapping[int, Serving]") -> None:
        """Do what is to be done now.

        Raises:
            AppendError, StoreError: not all could be done; the next round comes.
        """


class Rounds(Duty):
    """Looks around until cancelled."""

    def __init__(self, looks: Sequence[Look], wait: float) -> None:
        self._looks = looks
        self._wait = wait

    async def run(self, partitions: "Mapping[int, Serving]") -> None:
        while True:
            await asyncio.sleep(self._wait)
            try:
                for look in self._looks:
                    await look.look(partitions)
            except (AppendError, StoreError) as e:
                log.warning("keeping is put off: %s", e)
