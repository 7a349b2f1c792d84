"""The pytest plugin: what its fixtures give, what a failing test's report tells, and what loading it costs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from farandole.testing import Scenario

HEAVY = ("aiokafka", "fastavro", "pydantic", "farandole.schemas", "farandole.reactors", "farandole.testing.virtual")

TESTS = """
import asyncio
from farandole.reactors import Choreography
from farandole.schemas import End, Start

tea = Choreography("tea")

class Asked(Start): ...
class Served(End):
    cups: int

@tea.reactor
async def serve(asked: Asked) -> Served:
    return Served(cups=2)

async def play(scenario, then):
    async with scenario(tea) as s:
        await s.when(Asked())
        then(s)

def check(s):
    assert s.last(Served).cups == 3

def test_passes(scenario):
    asyncio.run(play(scenario, lambda s: s.then(Served(cups=2))))

def test_a_plain_assert_fails(scenario):
    asyncio.run(play(scenario, check))

def test_an_assertion_of_the_scenario_fails(scenario):
    asyncio.run(play(scenario, lambda s: s.then(Served(cups=3))))

def test_without_a_scenario():
    assert False
"""


def run_pytest(folder: Path, *args: str, **env: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(folder), *args],
        cwd=folder, capture_output=True, text=True, timeout=100, env={**os.environ, **env}, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.fixture
def told(tmp_path: Path) -> str:
    (tmp_path / "test_tea.py").write_text(TESTS)
    return run_pytest(tmp_path)


def test_a_failing_test_tells_the_story_of_its_scenario(told: str) -> None:
    assert "3 failed, 1 passed" in told
    (plain,) = re.findall(r"^_+ test_a_plain_assert_fails _+$(.*?)^_+ test_an", told, re.M | re.S)
    assert "Told 'run' of tea" not in told
    assert re.search(r"^-+ Scenario 'run' of tea -+$", plain, re.M)
    assert "run 'run' of tea is completed" in plain
    assert "serve     Served(cups=2)" in plain


def test_a_story_is_told_once(told: str) -> None:
    (failed,) = re.findall(r"^_+ test_an_assertion_of_the_scenario_fails _+$(.*?)^_+ test_without", told, re.M | re.S)
    assert "cups=2 instead of 3" in failed
    assert not re.search(r"^-+ Scenario 'run' of tea -+$", failed, re.M)


def test_a_failed_assertion_points_at_the_test(told: str) -> None:
    (failed,) = re.findall(r"^_+ test_an_assertion_of_the_scenario_fails _+$(.*?)^_+ test_without", told, re.M | re.S)
    assert "scenario/run.py" not in failed


def test_loading_it_imports_nothing_heavy() -> None:
    code = (
        "import sys, importlib.metadata as m\n"
        "(point,) = [p for p in m.entry_points(group='pytest11') if p.name == 'farandole']\n"
        "point.load()\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"


async def test_its_scenario_is_a_scenario(scenario: type[Scenario]) -> None:
    assert issubclass(scenario, Scenario)


def test_a_broker_that_is_given_is_used(tmp_path: Path) -> None:
    (tmp_path / "test_kafka.py").write_text("def test_it(farandole_kafka): assert farandole_kafka == 'kafka://here:1'")
    assert "1 passed" in run_pytest(tmp_path, FARANDOLE_TEST_KAFKA="here:1")


def test_tests_are_skipped_where_no_broker_can_be_started(tmp_path: Path) -> None:
    (tmp_path / "test_kafka.py").write_text("def test_it(farandole_kafka): ...")
    nothing = {"PATH": "", "FARANDOLE_CACHE": str(tmp_path), "FARANDOLE_TEST_KAFKA": ""}
    assert "1 skipped" in run_pytest(tmp_path, FARANDOLE_REQUIRE_KAFKA="", **nothing)
    told = run_pytest(tmp_path, FARANDOLE_REQUIRE_KAFKA="1", **nothing)
    assert "1 error" in told
    assert "java and mvn is not installed" in told


@pytest.mark.kafka
def test_a_broker_is_started_for_the_session(tmp_path: Path) -> None:
    (tmp_path / "test_kafka.py").write_text(
        "import asyncio\n"
        "from farandole.eventstore import connect\n"
        "async def there(url):\n"
        "    async with await connect(url, 'tea', partitions=1) as store:\n"
        "        return await store.ends([0])\n"
        "def test_it(farandole_kafka): assert asyncio.run(there(farandole_kafka))[0].next == 0\n"
        "def test_once(farandole_kafka): ...\n"
    )
    assert "2 passed" in run_pytest(tmp_path, FARANDOLE_TEST_KAFKA="")
