"""The suite as one class."""

import pytest

from .appending import Appending
from .closing import Closing
from .outage import Outage
from .owning import Owning
from .reading import Reading
from .speaking import Speaking
from .support import Interrupt, OpenStore
from .tables import Tables
from .truncating import Truncating


@pytest.mark.asyncio
class EventStoreContract(Appending, Reading, Truncating, Tables, Speaking, Owning, Closing, Outage):
    """Every promise of `farandole.eventstore.contract`, as tests. Subclass it and override the fixture `open_store`.

    Nothing in the suite sleeps; it waits for conditions, up to `patience` seconds.
    """

    @pytest.fixture
    async def open_store(self) -> OpenStore:
        """Override: an async factory ``open_store(choreography=None, partitions=4) -> EventStore``.

        Without a name it opens a new and empty log. The same name again within one test opens the same log through
        another handle. It closes all handles when the test is over; closing twice must do nothing.
        """
        raise NotImplementedError("override the fixture open_store, as the docstring of EventStoreContract says")

    @pytest.fixture
    async def interrupt(self) -> Interrupt | None:
        """Override where the backend can be taken away: a callable whose async context manager does so.

        Within it no append can succeed at once. None skips the tests that need it.
        """
        return None
