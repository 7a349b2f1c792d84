"""A client whose log is another one now forgets what it knew, and reads the new one from its start."""

import secrets

from farandole.eventstore.memory import MemoryStore
from farandole.reactors import Choreography
from farandole.schemas import End, Start


class Begun(Start): ...


class Done(End): ...


async def test_a_client_folds_anew_when_the_log_was_replaced() -> None:
    dance = Choreography("dance")
    dance.know(Begun, Done)
    async with dance.connect(f"memory://{secrets.token_hex(4)}", partitions=1) as client:
        await client.start(Begun(), run_id="old")
        assert (await client.run("old").status()).status == "unserved"
        assert isinstance(client.store, MemoryStore)
        client.store.log.partitions[0].clear()
        run = await client.start(Begun(), run_id="new")
        assert await run.created
        assert (await client.run("old").status()).status == "absent"
