"""The pytest plugin: scenarios that tell what happened when a test fails, a real broker and a real schema registry.

Pytest loads it wherever Farandole is installed, so it imports nothing before a test asks for it.
"""

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import pytest

if TYPE_CHECKING:
    from .scenario import Scenario
    from .server import ServerProcess

S = TypeVar("S", bound="ServerProcess")
_PLAYED = pytest.StashKey["list[Scenario]"]()


@pytest.fixture
def scenario(request: pytest.FixtureRequest) -> "type[Scenario]":
    """`farandole.testing.Scenario`; if the test fails, for whatever reason, its report tells the story of each one.

    async def test_it_ships(scenario: type[Scenario]) -> None:
        async with scenario(orders) as s: ...
    """
    from .scenario import Scenario

    played = request.node.stash.setdefault(_PLAYED, [])

    class Told(Scenario):
        async def __aenter__(self) -> "Told":
            played.append(self)
            return await super().__aenter__()

    Told.__name__ = Scenario.__name__
    return Told


@pytest.fixture(scope="session")
def farandole_kafka() -> Iterator[str]:
    """The store URL of a real broker: of ``FARANDOLE_TEST_KAFKA`` (``host:port``), or of one started for the session.

    Skips the test where Java or Maven is not there to start one; fails it if ``FARANDOLE_REQUIRE_KAFKA=1``.
    """
    if given := os.environ.get("FARANDOLE_TEST_KAFKA"):
        yield f"kafka://{given}"
        return
    from .broker import KafkaBroker, missing_tools

    need("Apache Kafka", missing_tools())
    with served(KafkaBroker()) as broker:
        yield broker.url


@pytest.fixture(scope="session")
def farandole_registry() -> Iterator[str]:
    """The URL of a real schema registry, for ``FARANDOLE_REGISTRY``: of ``FARANDOLE_TEST_REGISTRY``, or of one started
    for the session. Skips or fails the test where it cannot be started, as `farandole_kafka` does.
    """
    if given := os.environ.get("FARANDOLE_TEST_REGISTRY"):
        yield given
        return
    from .registry import SchemaRegistry, missing_tools

    need("Apicurio", missing_tools())
    with served(SchemaRegistry()) as registry:
        yield registry.url


def need(
    what: str, missing: Sequence[str], *, of: str = "openjdk-17-jre, maven", required: str = "FARANDOLE_REQUIRE_KAFKA"
) -> None:
    """Skip the test where programs are not installed; fail it there if the machine is said to have them.

    Args:
        missing: the programs; none: go on.
        of: the packages that they are of.
        required: the variable of the environment that says so; by default that of Java's world.
    """
    if not missing:
        return
    why = f"{what} cannot be started here: {' and '.join(missing)} is not installed ({of})"
    if os.environ.get(required, "0") not in ("", "0"):
        pytest.fail(why, pytrace=False)
    pytest.skip(why)


@contextmanager
def served(server: "S") -> "Iterator[S]":
    """A server for as long as tests need it; if it does not start, they fail and say why."""
    from .server import ServerFailed

    try:
        server.start()
    except ServerFailed as e:
        server.close()
        pytest.fail(str(e), pytrace=False)
    try:
        yield server
    finally:
        server.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell the stories of a test's scenarios in the report of its failure, but for what the failure tells itself."""
    report = yield
    if report.failed and report.when == "call" and call.excinfo is not None:
        said = str(call.excinfo.value)
        played = item.stash.get(_PLAYED, [])
        report.sections += [(repr(s).strip("<>"), story) for s in played if (story := str(s)) not in said]
    return report
