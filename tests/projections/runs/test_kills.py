"""Projectors and PostgreSQL are killed while they write (SIGKILL): afterwards the rows are those of one fold."""

import os
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest
from tests.projections.runs.model import a_random_log, differences
from tests.projections.runs.projecting import exactly
from tests.projections.runs.reading import tables_in

from farandole.projections.sql import Database, DatabaseError
from farandole.testing.postgres import PostgresServer

PROGRAM = Path(__file__).parent / "random_projector.py"
ROOT = Path(__file__).parents[3]
RECORDS = 400
KILLS = 4


def a_projector(url: str, seed: int) -> "subprocess.Popen[str]":
    """One that has read what it needs and begins to write."""
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), url, str(seed), str(RECORDS)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests"), *sys.path])},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


def has_come_to(database: Database, position: int) -> None:
    """Wait until the tables are there, or beyond."""
    deadline = time.monotonic() + 60
    while True:
        try:
            with database.reading() as connection:
                found = connection.exec_driver_sql("SELECT max(position) FROM positions").scalar()
        except DatabaseError:
            found = None  # not made yet, or away just now
        if found is not None and found >= position:
            return
        assert time.monotonic() < deadline
        time.sleep(0.002)


def ends_well(process: "subprocess.Popen[str]") -> bool:
    out, _ = process.communicate(timeout=100)
    return out == "done\n" and process.returncode == 0


@pytest.mark.slow
def test_a_projector_that_is_killed_again_and_again(database_url: str, database: Database) -> None:
    for position in sorted(Random(41).sample(range(RECORDS), KILLS)):
        process = a_projector(database_url, 41)
        has_come_to(database, position)
        process.kill()
        process.communicate()
    assert ends_well(a_projector(database_url, 41))
    assert differences(tables_in(database), exactly(a_random_log(41, RECORDS))) == []


@pytest.mark.slow
def test_two_projectors_of_which_one_is_killed(database_url: str, database: Database) -> None:
    one, other = a_projector(database_url, 42), a_projector(database_url, 42)
    has_come_to(database, RECORDS // 3)
    one.kill()
    one.communicate()
    assert ends_well(other)
    assert differences(tables_in(database), exactly(a_random_log(42, RECORDS))) == []


@pytest.mark.slow
@pytest.mark.postgres
def test_a_database_that_is_killed_while_it_is_written_to(postgres_server: PostgresServer) -> None:
    with PostgresServer() as server:
        url = f"{server.url}?schema=farandole_killed"
        database = Database(url, "farandole_t")
        process = a_projector(url, 43)
        for position in sorted(Random(43).sample(range(RECORDS), KILLS)):
            has_come_to(database, position)
            server.kill()
            server.start()
        assert ends_well(process)
        assert differences(tables_in(database), exactly(a_random_log(43, RECORDS))) == []
        database.close()
