"""What processes tell Prometheus, for tests to look at; and Prometheus's own tool, to judge it."""

import asyncio
import os
import shutil
import subprocess
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from tests.projections.runs.logs import RecordedLog
from tests.projections.runs.model import a_random_log
from tests.projections.runs.projecting import projected
from tests.reactors.working.controls import Begun, Done, Stage, eventually

from farandole.eventstore import SystemClock
from farandole.projections.custom import tables as own
from farandole.projections.custom.keepers import say
from farandole.projections.runs.metrics import ServerMetrics
from farandole.projections.runs.query import Runs
from farandole.projections.sql import Database
from farandole.reactors import Choreography
from farandole.reactors.metrics import MetricsServer
from farandole.schemas import Usage
from farandole.testing.plugin import need


@dataclass(frozen=True)
class Family:
    """One metric: its kind, and the labels that its samples have."""

    kind: str
    meaning: str
    labels: frozenset[str]


class Exposition:
    """One answer of ``/metrics``.

    Args:
        text: as it came.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.families: dict[str, Family] = {}
        """By name, those of counters with their ``_total``."""
        self.names: set[str] = set()
        """Of all series, those of histograms three each."""
        self._samples: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
        for family in text_string_to_metric_families(text):
            name = family.name + {"counter": "_total", "info": "_info"}.get(family.type, "")
            labels = frozenset(key for s in family.samples for key in s.labels) - {"le"}
            self.families[name] = Family(family.type, family.documentation, labels)
            self.names |= {s.name for s in family.samples} | ({name} if family.type != "histogram" else set())
            for s in family.samples:
                self._samples[s.name, frozenset(s.labels.items())] = s.value

    def __call__(self, name: str, **labels: str) -> float:
        """The sample of this name that has these labels among its own; the sum, if there are several."""
        found = [v for (n, has), v in self._samples.items() if n == name and labels.items() <= set(has)]
        if not found:
            raise AssertionError(f"no {name} with {labels}")
        return sum(found)

    def values_of(self, label: str) -> set[str]:
        return {value for _, labels in self._samples for key, value in labels if key == label}


def promtool(*words: str | Path, says: str | None = None) -> str:
    """Run promtool, and give what it says. Skips where it is missing, unless ``FARANDOLE_REQUIRE_PROMETHEUS`` is set.

    Args:
        says: what it reads from stdin.
    """
    tool = shutil.which("promtool")
    need("promtool", [] if tool else ["promtool"], of="prometheus", required="FARANDOLE_REQUIRE_PROMETHEUS")
    assert tool is not None
    # It tries rules on databases that it makes, and waits for the disk over and over: in memory, where there is such a place.
    shm = {"TMPDIR": "/dev/shm"} if Path("/dev/shm").is_dir() else {}
    done = subprocess.run(
        [tool, *map(str, words)], input=says, text=True, capture_output=True, timeout=110, env={**os.environ, **shm}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


async def of_a_worker() -> Exposition:
    """What a worker tells that has done a step, and refused a record."""
    choreography = Choreography("dance")

    @choreography.reactor
    async def end(begun: Begun) -> Done:
        return Done()

    async with Stage(clock=SystemClock()) as stage:
        worker = (await stage.worker(choreography)).worker
        client = await stage.client(choreography)
        await (await client.start(Begun(), run_id="r")).result(Done)
        await client.start(Begun(), run_id="r")
        await eventually(lambda: worker.stats.refused)
        worker.stats.usage.add([Usage(model="large")], "end")
        with MetricsServer(worker, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.port}/metrics"
            answer = await asyncio.to_thread(urllib.request.urlopen, url, timeout=30)
            return Exposition(answer.read().decode())


async def of_a_server(database: Path) -> Exposition:
    """What a server tells that was asked something, of a log with something owed."""
    log = RecordedLog(a_random_log(68, 400))
    tables = Database(f"sqlite:///{database}", "farandole_t")
    try:
        await projected(log, tables)
        with tables.writing() as connection:  # as if somebody kept one
            own.metadata.create_all(connection)
            row = {"name": "PerDay", "version": 1, "state": "live", "error": "", "changed": False}
            connection.execute(own.projections.insert(), {**row, "fingerprint": "", "made": "{}"})
            say(connection, "PerDay", "somebody")
        metrics = ServerMetrics(Runs(tables, "t"), store=log)
        metrics.request("GET", "/api/v1/runs", 200, 0.01)
        return Exposition((await metrics.scrape())[0].decode())
    finally:
        tables.close()
