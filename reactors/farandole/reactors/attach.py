"""A client of a log that is there already, for people who look at runs and look after them."""

from typing import TYPE_CHECKING

from farandole.eventstore import Clock, SystemClock, connect
from farandole.schemas.catalogue import refresh

from .client import Client
from .service import scribe_of, types_of

if TYPE_CHECKING:
    from .choreography import Choreography


async def attach(choreography: "Choreography", url: str | None = None, *, clock: Clock | None = None) -> Client:
    """Open a log as it is: nothing is made, no schema is registered, no record is written until the client is told to.

    Args:
        choreography: need not declare any event; without them runs can be seen and commanded, but nothing started.
        url: where the log is; None: the environment variable ``FARANDOLE_STORE``.

    Raises:
        StoreMisconfigured: the log is not there, or the URL is wrong.
        StoreUnavailable: it cannot be reached.
    """
    clock = clock or SystemClock()
    store = await connect(url, choreography.name, create=False, clock=clock)
    types = types_of(choreography)
    try:
        await refresh(store.catalogue, types)
    except BaseException:
        await store.close()
        raise
    return Client(store, scribe_of(choreography, types, "client", clock))
