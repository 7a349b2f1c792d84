"""Mistakes that are easily made, and what is said about them."""

import gc
import logging
import secrets
from typing import Any

import pytest

from farandole.reactors import Choreography, Retry
from farandole.reactors.errors import ProviderFailed
from farandole.schemas import DeclarationError, End, Event, Signal, Start


class Begun(Start): ...


class Went(Event): ...


class Nudged(Signal): ...


class Done(End): ...


class Bank: ...


def dance(**more: Any) -> Choreography:
    return Choreography("dance", **more)


@pytest.mark.parametrize("options", [{"retry": 3}, {"concurrency": "5"}, {"ordered": "yes"}])
def test_an_option_of_another_type_is_refused_with_the_reactor_and_the_cure(options: dict[str, Any]) -> None:
    with pytest.raises(DeclarationError, match=r"dance\.go: .*(Retry\(attempts=3\)|concurrency= is a number)"):

        @dance().reactor(**options)
        async def go(begun: Begun) -> Done:
            return Done()


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("retries", r"dance\.go: @reactor takes no retries=; did you mean retry=\?"),
        ("x", "takes no x=; there are name, of"),
    ],
)
def test_an_option_that_there_is_not_is_refused_with_the_nearest(option: str, told: str) -> None:
    with pytest.raises(DeclarationError, match=told):

        @dance().reactor(**{option: 3})  # type: ignore[call-overload, untyped-decorator]
        async def go(begun: Begun) -> Done:
            return Done()


def test_a_wait_that_cannot_be_read_is_told_with_its_option() -> None:
    with pytest.raises(DeclarationError, match=r"Retry\(first='3 sex'\): "):
        Retry(first="3 sex")


def test_what_nobody_provides_is_told_with_how_to_write_it() -> None:
    d = dance()

    @d.reactor
    async def go(begun: Begun, bank: Bank) -> Done:
        return Done()

    with pytest.raises(
        DeclarationError, match=r"nothing provides Bank .*; write @dance\.provide def bank\(\) -> Bank: \.\.\.$"
    ):
        d.load()


async def test_a_provider_that_fails_is_named_by_what_asked_for_it() -> None:
    c = dance()

    @c.provide
    def bank() -> Bank:
        raise OSError("no such database")

    @c.reactor
    async def go(begun: Begun, bank: Bank) -> Done:
        return Done()

    with pytest.raises(ProviderFailed, match=r"dance\.go: .*'bank'.*OSError: no such database"):
        async with c.work("memory://"):
            pass


async def test_a_worker_without_reactors_says_that_it_does_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async with dance(service="floor").work("memory://"):
        pass
    assert "service floor has no reactors" in caplog.text
    assert 'Choreography("dance", include=["dance.reactors"])' in caplog.text


def test_work_that_is_never_awaited_is_told_of() -> None:
    working = dance().work("memory://")
    with pytest.warns(RuntimeWarning, match=r"dance\.work\(\.\.\.\) was never awaited"):
        del working
        gc.collect()


async def test_a_second_program_under_one_service_name_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    first, second = dance(service="hall"), dance(service="hall")

    @first.reactor
    async def go(begun: Begun) -> Went:
        return Went()

    @second.reactor
    async def end(went: Went) -> Done:
        return Done()

    url = f"memory://{secrets.token_hex(4)}"
    async with first.work(url, partitions=2):
        pass
    with caplog.at_level(logging.WARNING, "farandole.worker"):
        async with second.work(url):
            pass
    assert caplog.text.count("service 'hall' serves reactor 'go', which this process has no code for") == 1


async def test_events_of_types_that_a_client_does_not_declare_are_left_out() -> None:
    c = dance()

    @c.reactor
    async def go(begun: Begun) -> Went:
        return Went()

    @c.reactor
    async def end(went: Went) -> Done:
        return Done()

    url = f"memory://{secrets.token_hex(4)}"
    stranger = dance(service="stranger")
    stranger.know(Done)
    async with c.work(url) as client, stranger.connect(url) as other:
        run = await client.start(Begun(), run_id="r")
        await run.result(Done)
        assert [r.name async for r in other.run("r").events(live=False)] == ["dance.Done"]


async def test_a_result_is_asked_for_by_ends() -> None:
    c = dance()

    @c.reactor
    async def go(begun: Begun) -> Done:
        return Done()

    async with c.work("memory://") as client:
        run = await client.start(Begun())
        with pytest.raises(TypeError, match="Went"):
            await run.result(Went)  # type: ignore[type-var]


async def test_a_log_of_another_program_is_told_as_such() -> None:
    def with_field(kind: type) -> Choreography:
        class Opened(Start):
            n: kind  # type: ignore[valid-type]

        c = dance()

        @c.reactor
        async def go(opened: Opened) -> Done:
            return Done()

        return c

    url = f"memory://{secrets.token_hex(4)}"
    async with with_field(int).work(url):
        with pytest.raises(DeclarationError, match=rf"^the log at {url} .* name another store\. .*Opened"):
            async with with_field(bytes).work(url):
                pass
