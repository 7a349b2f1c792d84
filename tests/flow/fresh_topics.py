"""Tests that share a broker, and examples whose choreography has one name."""

from aiokafka.admin import AIOKafkaAdminClient


async def forget_topics(bootstrap: str, choreography: str) -> None:
    """Delete the topics of a choreography, and wait until they are gone."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        while ours := [name for name in await admin.list_topics() if name.startswith(f"{choreography}.")]:
            await admin.delete_topics(ours)
    finally:
        await admin.close()
