"""The contract suite: what every event store must pass, and what users of one may rely on.

To try a store of your own, write a test file of a few lines:

    from farandole.eventstore.testing import EventStoreContract

    class TestMyStore(EventStoreContract):
        @pytest.fixture
        async def open_store(self):
            handles = []
            async def open_store(choreography=None, partitions=4):
                handles.append(await MyStore.open(choreography or fresh_name(), partitions))
                return handles[-1]
            yield open_store
            for store in handles:
                await store.close()

Needs pytest and pytest-asyncio.
"""

import pytest

pytest.register_assert_rewrite(
    *(
        f"{__name__}.{part}"
        for part in ("appending", "closing", "outage", "owning", "reading", "speaking", "support", "tables")
    )
)

from .contract import EventStoreContract  # noqa: E402
from .support import Interrupt, OpenStore, fresh_name  # noqa: E402

__all__ = ["EventStoreContract", "Interrupt", "OpenStore", "fresh_name"]
