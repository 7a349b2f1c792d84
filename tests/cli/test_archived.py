"""`show` tells all of a run, whatever part of it is behind a checkpoint, or in an archive."""

import asyncio
import shutil
from pathlib import Path

from tests.reactors.client.test_archiving import some_done
from tests.reactors.working.controls import Stage
from tests.reactors.working.test_checkpoints import OFTEN, a_dance, checkpointed, more, waiting_runs

from farandole.eventstore import SystemClock

from .conftest import Cli, Said


async def test_a_run_that_began_before_the_newest_checkpoint_is_shown_from_its_start(cli: Cli, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'dance.db'}"
    async with Stage(store, partitions=1, clock=SystemClock()) as stage:
        dance = a_dance()
        await waiting_runs(stage, dance)
        await checkpointed(stage, dance, 1)
        shown = await asyncio.to_thread(cli, "show", "run-0", "-c", dance.name, "-s", store, "--json")
    assert [r["type"].rpartition(".")[2] for r in shown.json["records"]] == ["Begun", "Went", "Met"]


async def test_a_run_that_left_the_log_is_shown_from_its_archive(cli: Cli, tmp_path: Path) -> None:
    store, files = f"sqlite:///{tmp_path / 'dance.db'}", tmp_path / "files"
    async with Stage(store, partitions=1, clock=SystemClock()) as stage:
        dance = a_dance()
        worker = await stage.worker(dance, checkpoints=OFTEN)

        async def said(*words: str) -> Said:
            return await asyncio.to_thread(cli, *words, "-c", dance.name)

        await some_done(stage, dance)
        await more(stage, dance, lambda: worker.worker.stats.checkpoints > 8)
        before = (await said("show", "done-1", "--json", "-s", store)).json
        kept = await said("archive", "--to", str(files), "-s", store)
        assert kept.code == 0, kept.err
        assert (await said("show", "done-1", "-s", store)).code == 3

        after = (await said("show", "done-1", "--json", "--archive", str(files))).json
        assert after["records"] == before["records"]
        assert (after["status"], after["end"], after["archived"]) == ("completed", f"{dance.name}.Done", True)
        for_people = (await said("show", "done-1", "--archive", str(files))).out
        assert "done-1  completed with Done" in for_people
        assert "Nudged" in for_people
        assert "  causation  " in (await said("show", "done-1", "--raw", "--archive", str(files))).out

        absent = await said("show", "nobody", "--archive", str(files))
        assert (absent.code, absent.err) == (
            3,
            f"error: the archive of choreography '{dance.name}' in {files} has no run 'nobody'\n",
        )
        elsewhere = await said("show", "done-1", "--archive", str(tmp_path / "none"))
        assert elsewhere.code == 3
        assert "no archive of this choreography" in elsewhere.err


async def test_a_file_that_is_missing_is_named(cli: Cli, tmp_path: Path) -> None:
    store, files = f"sqlite:///{tmp_path / 'dance.db'}", tmp_path / "files"
    async with Stage(store, partitions=1, clock=SystemClock()) as stage:
        dance = a_dance()
        worker = await stage.worker(dance, checkpoints=OFTEN)
        await some_done(stage, dance, 3)
        await more(stage, dance, lambda: worker.worker.stats.checkpoints > 8)
        await asyncio.to_thread(cli, "archive", "--to", str(files), "-c", dance.name, "-s", store)
    show = ("show", "done-0", "-c", dance.name, "--archive", str(files))
    (file,) = files.glob("*.avro")
    head = f"{dance.name}.0."
    later = file.with_name(f"{head}900000-900001.avro")
    shutil.copy(file, later)
    said = await asyncio.to_thread(cli, *show)
    assert (said.code, said.err.startswith(f"error: {later.name} begins at offset 900000, and the file")) == (3, True)
    file.unlink()
    said = await asyncio.to_thread(cli, *show)
    assert (said.code, "the beginning of no partition" in said.err) == (3, True)
