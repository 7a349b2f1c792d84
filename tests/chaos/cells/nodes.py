"""Tests of the suite that are cells as they stand."""

import asyncio
import os
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from chaos.cell import cell
from chaos.trial import Trial

ROOT = Path(__file__).parents[3]


@cell(
    "hostile-records",
    "the product's own test of 10,000 hostile records, written to a topic while a worker is at work on it",
    whole={"nodes": ["tests/kafka/test_hostile_records.py"]},
)
@cell(
    "damaged-on-disk",
    "the product's own tests of a byte that turns over in a batch on the broker's disk",
    whole={"nodes": ["tests/kafka/test_damaged_on_disk.py"]},
)
@cell(
    "client-faults",
    "the store's own tests of the known faults of its Kafka client",
    whole={"nodes": ["tests/kafka/test_client_faults.py"]},
)
@cell(
    "appends-under-faults",
    "the store's own tests of lost, doubled, refused and torn appends",
    whole={"nodes": ["tests/kafka/test_appending_under_faults.py"]},
)
@cell(
    "reads-under-faults",
    "the store's own tests of readers that are cut off, misled and given corrupt batches",
    whole={"nodes": ["tests/kafka/test_reading_under_faults.py", "tests/kafka/test_membership.py"]},
)
@cell(
    "orders-on-sqlite",
    "three processes share an SQLite file, and are killed with -9",
    whole={"nodes": ["tests/flow/test_orders_on_sqlite.py"]},
)
async def nodes(trial: Trial, nodes: list[str]) -> None:
    """Run these tests in a process of their own; each that fails is an anomaly."""
    report = trial.folder / "junit.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junit-xml={report}", *nodes]
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env={**os.environ, "FARANDOLE_SEED": str(trial.seed)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await process.communicate())[0].decode(errors="replace")
    (trial.folder / "pytest.log").write_text(said)
    if not report.exists():
        trial.wrong(f"pytest ended with {process.returncode}: {said[-500:]}")
        return
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        trial.figures["tests"] += 1
        published = {each.get("name"): each.get("value") for each in case.iter("property")}
        if published:
            trial.notes[str(case.get("name"))] = published
        where = f"{case.get('classname')}::{case.get('name')}"
        for kind in ("failure", "error"):
            for problem in case.findall(kind):
                trial.wrong(f"{where}: {problem.get('message')}")
        if case.find("skipped") is not None:
            trial.figures["skipped"] += 1
    if trial.figures["skipped"]:
        trial.wrong(f"{trial.figures['skipped']} tests were skipped: nothing was tried in them")
