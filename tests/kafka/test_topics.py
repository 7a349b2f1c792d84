"""Topics are made right, once, and checked at every connect."""

import asyncio

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from controls import some_records
from farandole.eventstore import StoreMisconfigured, StoreUnavailable
from farandole.eventstore.kafka import diagnose
from farandole.testing.server import free_port

from .conftest import Open

pytestmark = pytest.mark.kafka


async def make(kafka: str, topic: str, partitions: int, **config: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    settings = {name.replace("_", "."): value for name, value in config.items()}
    await admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=settings)])
    await admin.close()


async def test_processes_that_start_together_make_one_log(opened: Open, kafka: str) -> None:
    stores = await asyncio.gather(*(opened(kafka) for _ in range(4)))
    assert {store.partitions for store in stores} == {4}
    await stores[0].append(3, some_records(1))
    assert (await stores[1].ends([3]))[3].next == 1


async def test_senders_times_are_refused_with_the_command_that_cures(opened: Open, kafka: str, name: str) -> None:
    await make(kafka, f"{name}.events", 4, retention_ms="-1")
    with pytest.raises(StoreMisconfigured) as refused:
        await opened(kafka)
    cure = f"kafka-configs.sh --bootstrap-server {kafka} --alter --topic {name}.events --add-config"
    assert f"{cure} message.timestamp.type=LogAppendTime" in str(refused.value)


async def test_events_that_expire_are_refused(opened: Open, kafka: str, name: str) -> None:
    await make(kafka, f"{name}.events", 4, message_timestamp_type="LogAppendTime", retention_ms="1000")
    with pytest.raises(StoreMisconfigured, match=r"retention\.ms=-1"):
        await opened(kafka)


async def test_a_table_that_is_not_compacted_is_refused(opened: Open, kafka: str, name: str) -> None:
    await make(kafka, f"{name}.catalogue", 1, message_timestamp_type="LogAppendTime")
    with pytest.raises(StoreMisconfigured, match=r"cleanup\.policy=compact"):
        await opened(kafka)


async def test_another_number_of_partitions_is_refused_with_the_number_to_use(opened: Open, kafka: str) -> None:
    await opened(kafka, partitions=4)
    with pytest.raises(StoreMisconfigured, match="partitions=4"):
        await opened(kafka, partitions=16)


async def test_a_log_is_taken_as_it_is_without_create(opened: Open, kafka: str) -> None:
    with pytest.raises(StoreMisconfigured, match="create=True"):
        await opened(kafka, create=False)
    await opened(kafka, partitions=3)
    assert (await opened(kafka, create=False, partitions=16)).partitions == 3


async def test_an_unreachable_broker_is_one_clear_error(opened: Open) -> None:
    with pytest.raises(StoreUnavailable, match=r"ConnectionRefusedError.*check that the broker runs"):
        await opened(f"127.0.0.1:{free_port()}")


async def test_a_diagnosis_of_a_healthy_development_log_only_warns_of_the_single_broker(
    opened: Open, kafka: str, name: str
) -> None:
    await opened(kafka)
    found = await diagnose(f"kafka://{kafka}", name)
    assert [each.check for each in found if each.severity == "warning"] == ["broker"]
    assert not [each for each in found if each.severity == "error"]
    assert [each.severity for each in found if each.check == "clock"] == ["ok"]


async def test_a_diagnosis_names_cause_and_cure(kafka: str, name: str) -> None:
    await make(kafka, f"{name}.events", 4, unclean_leader_election_enable="true")
    findings = {(each.check, each.severity): each for each in await diagnose(f"kafka://{kafka}", name)}
    assert findings[f"{name}.catalogue", "warning"].cure == "start a worker, which makes it"
    wrong = [each for each in await diagnose(f"kafka://{kafka}", name) if each.check == f"{name}.events"]
    assert any("message.timestamp.type=CreateTime" in each.cause for each in wrong)
    assert any("unclean.leader.election.enable=false" in each.cure for each in wrong)


async def test_a_diagnosis_tells_of_a_live_topic_that_keeps_for_long(kafka: str, name: str) -> None:
    await make(kafka, f"{name}.live", 4, message_timestamp_type="LogAppendTime", retention_ms="3600000")
    (finding,) = [each for each in await diagnose(f"kafka://{kafka}", name) if each.check == f"{name}.live"]
    assert finding.severity == "warning"
    assert "segment.ms=604800000" in finding.cause
    assert f"--topic {name}.live --add-config segment.ms=600000" in finding.cure


async def test_a_diagnosis_of_no_broker_says_so() -> None:
    [transport, broker] = await diagnose(f"kafka://127.0.0.1:{free_port()}", "dance")
    assert (transport.severity, broker.severity, broker.check) == ("ok", "error", "broker")
    assert "check that the broker runs" in broker.cure
