"""Traces over the hops of a run: who continues whose, what links to what, and that nothing is there while it is off."""

import os
import secrets
import subprocess
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from tests.reactors.working.controls import Begun, Done, Met, Nudged, Stage, Went, virtual

from farandole.reactors import After, Child, ChildDone, Choreography, Failed, GiveUp, Retry
from farandole.reactors.tracing import tracing_of
from farandole.schemas import DeclarationError, Start
from farandole.schemas.envelope import unpack


class ChildBegun(Start):
    n: int = 0


def of(spans: InMemorySpanExporter) -> Mapping[str, Sequence[ReadableSpan]]:
    """Finished spans by reactor; those of clients by the type that they sent."""
    found: dict[str, list[ReadableSpan]] = {}
    for span in spans.get_finished_spans():
        told = span.attributes or {}
        name = told.get("farandole.reactor") or told["farandole.event.type"]
        found.setdefault(str(name), []).append(span)
    return found


def ids(span: ReadableSpan) -> tuple[int, int]:
    assert span.context is not None
    return span.context.trace_id, span.context.span_id


def links(span: ReadableSpan) -> set[tuple[int, int]]:
    return {(link.context.trace_id, link.context.span_id) for link in span.links}


def parent(span: ReadableSpan) -> tuple[int, int] | None:
    return None if span.parent is None else (span.parent.trace_id, span.parent.span_id)


@virtual
async def test_a_run_without_joins_is_one_trace(spans: InMemorySpanExporter) -> None:
    dance = Choreography("dance")

    @dance.reactor
    async def go(begun: Begun) -> Went:
        with trace.get_tracer("mine").start_as_current_span("my own", attributes={"farandole.reactor": "mine"}):
            return Went(n=begun.n)

    @dance.reactor
    def end(went: Went) -> Done:
        with trace.get_tracer("mine").start_as_current_span("in a thread", attributes={"farandole.reactor": "thread"}):
            return Done(n=went.n)

    async with Stage() as stage:
        await stage.worker(dance)
        client = await stage.client(dance)
        run = await client.start(Begun(n=3), run_id="r")
        await run.result(Done)
        found = of(spans)
        [sent], [went], [done], [mine], [thread] = (
            found[name] for name in ("dance.Begun", "go", "end", "mine", "thread")
        )
    assert parent(sent) is None
    assert parent(went) == ids(sent)
    assert links(went) == {ids(sent)}
    assert parent(done) == ids(went)
    assert parent(mine) == ids(went)
    assert parent(thread) == ids(done)
    assert (sent.name, sent.kind) == ("send dance.events", SpanKind.PRODUCER)
    assert (went.name, went.kind) == ("process dance.events", SpanKind.CONSUMER)
    told = dict(went.attributes or {})
    assert told.pop("messaging.message.id")
    assert told.pop("messaging.kafka.offset") == 3  # after the genesis and two contracts
    assert told == {
        "messaging.system": "memory",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "dance.events",
        "messaging.destination.partition.id": "0",
        "messaging.consumer.group.name": "dance.dance",
        "messaging.message.conversation_id": "r",
        "farandole.run.id": "r",
        "farandole.reactor": "go",
        "farandole.attempt": 1,
    }


@virtual
async def test_a_join_begins_a_trace_that_is_linked_to_all_that_it_took(spans: InMemorySpanExporter) -> None:
    dance = Choreography("dance")

    @dance.reactor
    async def end(begun: Begun, nudged: Nudged) -> Done:
        return Done()

    async with Stage() as stage:
        await stage.worker(dance)
        client = await stage.client(dance)
        run = await client.start(Begun())
        await run.send(Nudged())
        await run.result(Done)
        found = of(spans)
        [began], [nudged], [done] = found["dance.Begun"], found["dance.Nudged"], found["end"]
    assert parent(done) is None
    assert links(done) == {ids(began), ids(nudged)}
    assert ids(done)[0] not in (ids(began)[0], ids(nudged)[0])


@virtual
async def test_attempts_that_fail_say_so_and_not_why(spans: InMemorySpanExporter) -> None:
    dance = Choreography("dance")

    @dance.reactor(retry=Retry(attempts=2, first="1s"))
    async def go(begun: Begun) -> Went:
        raise OSError("the number of the card")

    @dance.reactor
    async def end(failed: Failed[Begun]) -> Done:
        return Done()

    async with Stage() as stage:
        await stage.worker(dance)
        client = await stage.client(dance)
        run = await client.start(Begun())
        await run.result(Done)
        found = of(spans)
        first, second = found["go"]
        [done] = found["end"]
    for number, span in enumerate((first, second), 1):
        told = span.attributes or {}
        assert span.status.status_code is StatusCode.ERROR
        assert told["error.type"] == "OSError"
        assert told["farandole.attempt"] == number
        assert "card" not in span.to_json()
    assert ids(second) in links(done)


@virtual
async def test_timers_and_children_pass_it_on(spans: InMemorySpanExporter) -> None:
    dance = Choreography("dance")

    @dance.reactor
    async def wait(begun: Begun) -> After[Went]:
        return After("1h", Went())

    @dance.reactor
    async def bear(went: Went) -> Child[ChildBegun]:
        return Child(ChildBegun(n=1))

    @dance.reactor
    async def live(begun: ChildBegun) -> Done:
        return Done(n=begun.n)

    @dance.reactor
    async def meet(done: ChildDone[Done]) -> Met:
        return Met()

    async with Stage() as stage:
        await stage.worker(dance)
        client = await stage.client(dance)
        run = await client.start(Begun())
        async for recorded in run.events():
            if isinstance(recorded.event, Met):
                break
        found = of(spans)
    names = ("dance.Begun", "wait", "bear", "live", "meet")
    for before, after in pairwise(names):
        assert parent(found[after][0]) == ids(found[before][0])


@virtual
async def test_what_cannot_be_read_of_a_trace_is_no_trace(spans: InMemorySpanExporter) -> None:
    dance = Choreography("dance")

    @dance.reactor
    async def end(begun: Begun) -> Done:
        return Done()

    async with Stage() as stage:
        await stage.worker(dance)
        client = await stage.client(dance)
        record = client.scribe.start(b"r", Begun())
        odd = record._replace(headers=[*record.headers, ("traceparent", b"\xff00-nothing"), ("tracestate", b"=")])
        await client.store.append(0, [odd])
        await client.run("r").result(Done)
        [done] = of(spans)["end"]
    assert parent(done) is None
    assert not done.links


@virtual
async def test_a_step_that_gives_up_is_an_error(spans: InMemorySpanExporter) -> None:
    dance = Choreography("dance")

    @dance.reactor
    async def end(begun: Begun) -> Done:
        raise GiveUp("no")

    async with Stage() as stage:
        await stage.worker(dance)
        client = await stage.client(dance)
        run = await client.start(Begun())
        with pytest.raises(Exception, match="no"):
            await run.result(Done)
        [done] = of(spans)["end"]
    assert (done.attributes or {})["error.type"] == "GiveUp"


@pytest.mark.kafka
async def test_over_kafka_each_hop_is_linked_to_the_one_before(kafka: str, spans: InMemorySpanExporter) -> None:
    dance = Choreography(f"traced_{secrets.token_hex(4)}")

    @dance.reactor
    async def go(begun: Begun) -> Went:
        return Went(n=begun.n)

    @dance.reactor
    async def end(went: Went) -> Done:
        return Done(n=went.n)

    async with dance.work(f"kafka://{kafka}", partitions=2) as client:
        await (await client.start(Begun(n=3), run_id="r")).result(Done)
    found = of(spans)
    [sent], [went], [done] = (found[name] for name in (f"{dance.name}.Begun", "go", "end"))
    assert [links(each) for each in (sent, went, done)] == [set(), {ids(sent)}, {ids(went)}]
    assert len({ids(each)[0] for each in (sent, went, done)}) == 1
    for span in (sent, went, done):
        told = span.attributes or {}
        assert told["messaging.system"] == "kafka"
        assert told["messaging.destination.name"] == f"{dance.name}.events"
    first, second = ((span.attributes or {})["messaging.kafka.offset"] for span in (went, done))
    assert isinstance(first, int)
    assert isinstance(second, int)
    assert first < second


@pytest.mark.parametrize("said", [None, "false"])
@virtual
async def test_off_nothing_is_written_and_nothing_made(
    monkeypatch: pytest.MonkeyPatch, exported: InMemorySpanExporter, said: str | None
) -> None:
    if said is None:
        monkeypatch.delenv("FARANDOLE_TRACING", raising=False)
    else:
        monkeypatch.setenv("FARANDOLE_TRACING", said)
    dance = Choreography("dance")

    @dance.reactor
    async def end(begun: Begun) -> Done:
        return Done()

    async with Stage() as stage:
        await stage.worker(dance)
        client = await stage.client(dance)
        await (await client.start(Begun())).result(Done)
        folded = await stage.fold(dance)
    assert exported.get_finished_spans() == ()
    for record, _ in folded.records:
        assert {name for name, _ in record.headers} == {"ce_specversion", "ce_id", "ce_source", "ce_type", "fa"}
        assert unpack(record.headers)


OFF = """
import asyncio, sys
from farandole.reactors import Choreography
from farandole.schemas import End, Start

class Begun(Start): ...
class Done(End): ...

dance = Choreography("dance")

@dance.reactor
async def end(begun: Begun) -> Done:
    return Done()

async def main():
    async with dance.work("memory://off") as client:
        await (await client.start(Begun())).result(Done)

asyncio.run(main())
print([name for name in sys.modules if name.partition(".")[0] == "opentelemetry"])
"""


def test_off_opentelemetry_is_not_even_imported() -> None:
    env = {name: value for name, value in os.environ.items() if name != "FARANDOLE_TRACING"}
    env["PYTHONPATH"] = os.pathsep.join(sys.path)
    done = subprocess.run([sys.executable, "-c", OFF], env=env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


def test_it_is_asked_for_by_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    for word in ("", "0", "false", "False"):
        monkeypatch.setenv("FARANDOLE_TRACING", word)
        assert tracing_of("dance", "memory://") is None
    monkeypatch.setenv("FARANDOLE_TRACING", "perhaps")
    with pytest.raises(DeclarationError, match="neither true nor false"):
        tracing_of("dance", "memory://")


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARANDOLE_TRACING", "1")
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(DeclarationError, match=r"pip install 'farandole\[otel\]'"):
        tracing_of("dance", "memory://")
