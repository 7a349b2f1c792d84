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
        where = f"{case.get('classname')}::{case.get('name')}"
        for kind in ("failure", "error"):
            for problem in case.findall(kind):
                trial.wrong(f"{where}: {problem.get('message')}")
        if case.find("skipped") is not None:
            trial.figures["skipped"] += 1
